-- How deliveries ended, and how soon after their events were accepted, by five minutes, as the workers that made them counted them.
CREATE TABLE IF NOT EXISTS service_levels (
  at DATETIME NOT NULL,
  delivered BIGINT NOT NULL DEFAULT 0,
  failed BIGINT NOT NULL DEFAULT 0,
  fresh BIGINT NOT NULL DEFAULT 0,
  late BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci
