-- The cause of a destination's trouble (last_status beside reason) and the probes that the relay sends by itself: how many
-- since it became unhealthy, the latest (probed_at) and its event, and when an event for one was last looked for (sought_at).
ALTER TABLE destination_health
  ADD COLUMN last_status SMALLINT NULL,
  ADD COLUMN failed_at DATETIME(6) NULL,
  ADD COLUMN probes INT NOT NULL DEFAULT 0,
  ADD COLUMN probe_event_id BIGINT NULL,
  ADD COLUMN probed_at DATETIME(6) NULL,
  ADD COLUMN sought_at DATETIME(6) NULL,
  ADD KEY ix_destination_health_probe (probe_at)

--bun:split

-- Matches of a replay that wait until their destination is healthy: their number, and beside each where it would go.
ALTER TABLE event_replays ADD COLUMN held BIGINT NOT NULL DEFAULT 0

--bun:split

ALTER TABLE event_replay_items
  ADD COLUMN held_storefront INT NULL,
  ADD COLUMN held_destination VARCHAR(50) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
  ADD KEY ix_event_replay_items_held (replay_id, held_storefront, held_destination)
