ALTER TABLE marketing_events
  DROP KEY ix_marketing_events_status,
  DROP KEY ix_marketing_events_created,
  DROP COLUMN resend

--bun:split

DROP TABLE IF EXISTS event_stats_hours

--bun:split

DROP TABLE IF EXISTS event_stats

--bun:split

DROP TABLE IF EXISTS event_replay_items

--bun:split

DROP TABLE IF EXISTS event_replays
