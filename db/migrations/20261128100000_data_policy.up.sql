-- data_policy limits what a storefront's direct platforms receive. The rows that are there keep what was sent before
-- ('standard'), those of the earlier service included; the default changes only after that, so that new ones are 'health'.
-- Each statement changes one thing, so that a killed migration can be run again.
ALTER TABLE storefronts ADD COLUMN data_policy VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT 'standard'
  CHECK (data_policy IN ('health', 'standard'))

--bun:split

ALTER TABLE storefronts ALTER COLUMN data_policy SET DEFAULT 'health'

--bun:split

-- Set, an event without a consent signal counts as a refusal of everything.
ALTER TABLE storefronts ADD COLUMN require_consent BOOL NOT NULL DEFAULT 0

--bun:split

-- What an admin should know of an attempt: a JSON array of texts without values.
ALTER TABLE event_attempts ADD COLUMN warnings TEXT NULL
