-- Rows that readiness writes to check that the database is writable: each process uses one of a few, so that they do not
-- wait for each other.
CREATE TABLE IF NOT EXISTS write_checks (
  id INT NOT NULL,
  checked_at DATETIME(6) NOT NULL,
  PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci
