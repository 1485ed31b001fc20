-- As storefront_sgtm_config's: counts writes, for the version of a credential.
ALTER TABLE platform_credentials ADD COLUMN revision INT NOT NULL DEFAULT 0
