-- The rows that readiness writes to see that the database can be written: one of a few for each process, so that they do not
-- wait for each other.
CREATE TABLE IF NOT EXISTS write_checks (
  id INT NOT NULL,
  checked_at DATETIME(6) NOT NULL,
  PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci
