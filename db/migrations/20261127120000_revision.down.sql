ALTER TABLE platform_credentials DROP COLUMN revision

--bun:split

ALTER TABLE storefront_sgtm_config DROP COLUMN revision
