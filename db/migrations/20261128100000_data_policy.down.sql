ALTER TABLE event_attempts DROP COLUMN warnings

--bun:split

ALTER TABLE storefronts DROP COLUMN require_consent

--bun:split

ALTER TABLE storefronts DROP COLUMN data_policy
