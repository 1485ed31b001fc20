-- The lists of the audit, replays and erasures read by what they filter by, however long the tables are. Entries of the audit are
-- numbered in the order of their time, so the key by time only turns a time into an id.
ALTER TABLE admin_audit
  ADD KEY ix_admin_audit_action (action, id),
  ADD KEY ix_admin_audit_kind (entity, id),
  ADD KEY ix_admin_audit_at (at)

--bun:split

ALTER TABLE event_replays ADD KEY ix_event_replays_state (state, id)

--bun:split

ALTER TABLE event_erasures ADD KEY ix_event_erasures_state (state, id)
