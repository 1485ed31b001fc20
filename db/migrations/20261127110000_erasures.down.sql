DROP TABLE IF EXISTS event_erasure_items

--bun:split

DROP TABLE IF EXISTS event_erasures

--bun:split

ALTER TABLE marketing_events DROP COLUMN erased_at

--bun:split

ALTER TABLE storefront_sgtm_config DROP COLUMN revision
