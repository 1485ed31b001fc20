DROP TABLE IF EXISTS event_erasure_items

--bun:split

DROP TABLE IF EXISTS event_erasures

--bun:split

ALTER TABLE marketing_events DROP COLUMN erased_at
