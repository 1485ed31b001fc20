-- How long counting an hour took: an hour is counted again only after twenty times as long, so that counting is a twentieth
-- of one connection's work at most, whatever the traffic.
ALTER TABLE event_stats_hours ADD COLUMN took_us BIGINT NOT NULL DEFAULT 0
