DROP TABLE IF EXISTS write_checks
