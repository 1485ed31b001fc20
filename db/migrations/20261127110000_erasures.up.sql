-- Set if the event was erased: its payload is {}, and its ids are their hashes ("erased:..."), which ingestion looks up.
ALTER TABLE marketing_events ADD COLUMN erased_at DATETIME(6) NULL

--bun:split

-- A request to erase the stored data of an order or a person. subject is the encrypted order or person, deleted at the end;
-- subject_hash stays. cursor_id is the scan's cursor, up to last_id.
CREATE TABLE IF NOT EXISTS event_erasures (
  id BIGINT NOT NULL AUTO_INCREMENT,
  kind VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  state VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  subject TEXT NULL,
  subject_hash VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  storefront_id INT NULL,
  created_by VARCHAR(255) NOT NULL DEFAULT '',
  walked BOOL NOT NULL DEFAULT 0,
  cursor_id BIGINT NOT NULL DEFAULT 0,
  last_id BIGINT NOT NULL DEFAULT 0,
  total BIGINT NOT NULL DEFAULT 0,
  scanned BIGINT NOT NULL DEFAULT 0,
  matched BIGINT NOT NULL DEFAULT 0,
  erased BIGINT NOT NULL DEFAULT 0,
  created_at DATETIME(6) NOT NULL DEFAULT (UTC_TIMESTAMP(6)),
  ended_at DATETIME(6) NULL,
  PRIMARY KEY (id),
  KEY ix_event_erasures_ended (ended_at, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci

--bun:split

-- Events that an erasure has found and not completed yet.
CREATE TABLE IF NOT EXISTS event_erasure_items (
  erasure_id BIGINT NOT NULL,
  marketing_event_id BIGINT NOT NULL,
  PRIMARY KEY (erasure_id, marketing_event_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci
