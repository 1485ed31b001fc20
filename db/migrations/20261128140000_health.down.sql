ALTER TABLE event_replay_items
  DROP KEY ix_event_replay_items_held,
  DROP COLUMN held_storefront,
  DROP COLUMN held_destination

--bun:split

ALTER TABLE event_replays DROP COLUMN held

--bun:split

ALTER TABLE destination_health
  DROP KEY ix_destination_health_probe,
  DROP COLUMN last_status,
  DROP COLUMN failed_at,
  DROP COLUMN probes,
  DROP COLUMN probe_event_id,
  DROP COLUMN probed_at,
  DROP COLUMN sought_at
