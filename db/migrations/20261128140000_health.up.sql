-- The cause of a destination's failures (last_status beside reason) and the relay's own probes: their number since the
-- destination became unhealthy, the latest one (probed_at) with its event, and the time of the last search for an event to
-- probe with (sought_at). recovered_at is the latest recovery: the replay would miss an event that failed before it and
-- finishes after it.
ALTER TABLE destination_health
  ADD COLUMN last_status SMALLINT NULL,
  ADD COLUMN failed_at DATETIME(6) NULL,
  ADD COLUMN recovered_at DATETIME(6) NULL,
  ADD COLUMN probes INT NOT NULL DEFAULT 0,
  ADD COLUMN probe_event_id BIGINT NULL,
  ADD COLUMN probed_at DATETIME(6) NULL,
  ADD COLUMN sought_at DATETIME(6) NULL,
  ADD KEY ix_destination_health_probe (probe_at)

--bun:split

-- Matches of a replay that are held until their destination is healthy: their number, and in each item its destination.
ALTER TABLE event_replays ADD COLUMN held BIGINT NOT NULL DEFAULT 0

--bun:split

ALTER TABLE event_replay_items
  ADD COLUMN held_storefront INT NULL,
  ADD COLUMN held_destination VARCHAR(50) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
  ADD KEY ix_event_replay_items_held (replay_id, held_storefront, held_destination)
