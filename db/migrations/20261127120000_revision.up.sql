-- Counts the writes of a thing with secrets: its version must not change where only the key changes that its secrets are
-- encrypted by.
ALTER TABLE storefront_sgtm_config ADD COLUMN revision INT NOT NULL DEFAULT 0

--bun:split

ALTER TABLE platform_credentials ADD COLUMN revision INT NOT NULL DEFAULT 0
