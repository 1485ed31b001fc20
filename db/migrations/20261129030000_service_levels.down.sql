DROP TABLE IF EXISTS service_levels
