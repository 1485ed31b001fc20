-- Attempts by minute (minutes = 1), hour (60) and day (1440), as the workers that made them counted them: by how they ended and by
-- how long they took, le_ms being the upper bound of a range. Percentiles come from here, not from the attempts.
CREATE TABLE IF NOT EXISTS attempt_stats (
  minutes SMALLINT NOT NULL,
  at DATETIME NOT NULL,
  storefront_id INT NOT NULL,
  destination VARCHAR(50) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  outcome VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  status SMALLINT NOT NULL DEFAULT 0,
  le_ms INT NOT NULL,
  n BIGINT NOT NULL,
  PRIMARY KEY (minutes, at, storefront_id, destination, outcome, status, le_ms),
  KEY ix_attempt_stats_storefront (minutes, storefront_id, at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci
