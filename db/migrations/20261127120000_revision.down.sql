ALTER TABLE platform_credentials DROP COLUMN revision
