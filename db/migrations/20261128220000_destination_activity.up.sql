-- The latest attempt at each storefront's destination, and the latest one that it accepted, as the workers report them every few
-- seconds. Beside destination_health, so that these writes wait for no lock of a delivery, and no delivery for theirs.
CREATE TABLE IF NOT EXISTS destination_activity (
  storefront_id INT NOT NULL,
  destination VARCHAR(50) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  last_attempt_at DATETIME(6) NOT NULL,
  last_accepted_at DATETIME(6) NULL,
  PRIMARY KEY (storefront_id, destination)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci
