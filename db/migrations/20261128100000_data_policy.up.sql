-- data_policy limits the fields that a storefront's direct platforms receive. Existing rows keep the present behaviour
-- ('standard'), including those of the earlier service; the default changes only after that, so that new rows are 'health'.
-- Each statement changes one thing, so that a killed migration can be run again.
ALTER TABLE storefronts ADD COLUMN data_policy VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT 'standard'
  CHECK (data_policy IN ('health', 'standard'))

--bun:split

ALTER TABLE storefronts ALTER COLUMN data_policy SET DEFAULT 'health'

--bun:split

-- If set, an event without a consent signal counts as a refusal of everything.
ALTER TABLE storefronts ADD COLUMN require_consent BOOL NOT NULL DEFAULT 0

--bun:split

-- Warnings of an attempt for an admin: a JSON array of texts without values.
ALTER TABLE event_attempts ADD COLUMN warnings TEXT NULL
