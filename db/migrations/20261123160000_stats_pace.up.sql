-- The time that counting an hour took. An hour is recounted only after twenty times as long, so that counting uses at most a
-- twentieth of one connection.
ALTER TABLE event_stats_hours ADD COLUMN took_us BIGINT NOT NULL DEFAULT 0
