DROP TABLE IF EXISTS relay_workers

--bun:split

ALTER TABLE marketing_events DROP COLUMN next_attempt_at

--bun:split

ALTER TABLE marketing_events DROP COLUMN waiting_for
