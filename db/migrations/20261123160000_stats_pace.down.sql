ALTER TABLE event_stats_hours DROP COLUMN took_us
