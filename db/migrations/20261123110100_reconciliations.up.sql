-- The result of the latest reconciliation of rows and workflows, and the total number of repairs: one row.
CREATE TABLE IF NOT EXISTS reconciliation (
  id INT NOT NULL,
  at DATETIME(6) NOT NULL,
  checked INT NOT NULL,
  reopened INT NOT NULL,
  cancelled INT NOT NULL,
  repaired_in_all BIGINT NOT NULL,
  PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci
