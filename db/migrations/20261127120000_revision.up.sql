-- Counts the writes of an entry with secrets: a key rotation must not change its version.
ALTER TABLE storefront_sgtm_config ADD COLUMN revision INT NOT NULL DEFAULT 0

--bun:split

ALTER TABLE platform_credentials ADD COLUMN revision INT NOT NULL DEFAULT 0
