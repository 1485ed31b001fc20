-- The health of each storefront's destination: one row, so that all workers agree. failures counts consecutive retryable
-- failures since failing_since. While unhealthy_since is set, one event at probe_at probes the destination and the others
-- fail.
CREATE TABLE IF NOT EXISTS destination_health (
  storefront_id INT NOT NULL,
  destination VARCHAR(50) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  failures INT NOT NULL DEFAULT 0,
  failing_since DATETIME(6) NULL,
  unhealthy_since DATETIME(6) NULL,
  probe_at DATETIME(6) NULL,
  reason VARCHAR(50) NULL,
  updated_at DATETIME(6) NOT NULL DEFAULT (UTC_TIMESTAMP(6)),
  PRIMARY KEY (storefront_id, destination)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci
