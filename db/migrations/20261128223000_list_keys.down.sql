ALTER TABLE event_erasures DROP KEY ix_event_erasures_state

--bun:split

ALTER TABLE event_replays DROP KEY ix_event_replays_state

--bun:split

ALTER TABLE admin_audit
  DROP KEY ix_admin_audit_action,
  DROP KEY ix_admin_audit_kind,
  DROP KEY ix_admin_audit_at
