-- The six tables of the brief. IF NOT EXISTS, because the earlier service may have created them: the next migration adds the
-- missing parts, from the text below.
--
-- Ids and codes compare by bytes (utf8mb4_bin). The columns name the collation themselves, because a column that is added to
-- an older table would otherwise have that table's collation. Times are UTC in every session time zone, defaults included.
CREATE TABLE IF NOT EXISTS storefronts (
  id INT NOT NULL AUTO_INCREMENT,
  storefront_id VARCHAR(50) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  name VARCHAR(255) NOT NULL DEFAULT '',
  is_active BOOL NOT NULL DEFAULT 1,
  currency CHAR(3) NOT NULL DEFAULT 'USD',
  phone_region CHAR(2) NOT NULL DEFAULT 'US',
  base_url VARCHAR(500) NULL,
  use_payload_event_id BOOL NOT NULL DEFAULT 0,
  created_at DATETIME(6) NOT NULL DEFAULT (UTC_TIMESTAMP(6)),
  updated_at DATETIME(6) NOT NULL DEFAULT (UTC_TIMESTAMP(6)),
  PRIMARY KEY (id),
  UNIQUE KEY uq_storefronts_code (storefront_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci

--bun:split

CREATE TABLE IF NOT EXISTS storefront_sgtm_config (
  id INT NOT NULL AUTO_INCREMENT,
  storefront_id INT NOT NULL,
  sgtm_url VARCHAR(500) NOT NULL,
  client_type VARCHAR(20) NOT NULL DEFAULT 'ga4',
  measurement_id VARCHAR(50) NULL,
  api_secret TEXT NULL,
  custom_endpoint_path VARCHAR(255) NULL,
  custom_headers TEXT NULL,
  is_active BOOL NOT NULL DEFAULT 1,
  fallback VARCHAR(10) NOT NULL DEFAULT 'direct',
  on_exhausted VARCHAR(10) NOT NULL DEFAULT 'fail',
  options TEXT NULL,
  created_at DATETIME(6) NOT NULL DEFAULT (UTC_TIMESTAMP(6)),
  updated_at DATETIME(6) NOT NULL DEFAULT (UTC_TIMESTAMP(6)),
  PRIMARY KEY (id),
  UNIQUE KEY uq_sgtm_config_storefront (storefront_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci

--bun:split

CREATE TABLE IF NOT EXISTS ad_analytics_platforms (
  id INT NOT NULL AUTO_INCREMENT,
  code VARCHAR(50) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  name VARCHAR(255) NOT NULL DEFAULT '',
  vendor VARCHAR(255) NOT NULL DEFAULT '',
  category VARCHAR(50) NOT NULL DEFAULT '',
  tier INT NOT NULL DEFAULT 3,
  api_base_url VARCHAR(500) NULL,
  auth TEXT NULL,
  credential_fields TEXT NULL,
  docs_url VARCHAR(500) NULL,
  server_side_events_api BOOL NOT NULL DEFAULT 0,
  is_active BOOL NOT NULL DEFAULT 1,
  created_at DATETIME(6) NOT NULL DEFAULT (UTC_TIMESTAMP(6)),
  updated_at DATETIME(6) NOT NULL DEFAULT (UTC_TIMESTAMP(6)),
  PRIMARY KEY (id),
  UNIQUE KEY uq_platforms_code (code)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci

--bun:split

CREATE TABLE IF NOT EXISTS platform_credentials (
  id INT NOT NULL AUTO_INCREMENT,
  storefront_id INT NOT NULL,
  platform_id INT NOT NULL,
  credentials TEXT NOT NULL,
  is_active BOOL NOT NULL DEFAULT 1,
  options TEXT NULL,
  created_at DATETIME(6) NOT NULL DEFAULT (UTC_TIMESTAMP(6)),
  updated_at DATETIME(6) NOT NULL DEFAULT (UTC_TIMESTAMP(6)),
  PRIMARY KEY (id),
  UNIQUE KEY uq_credentials_storefront_platform (storefront_id, platform_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci

--bun:split

-- The inbox. storefront_id has no foreign key: an uncommitted insert of OMS would block the storefront's kill switch for as
-- long as that transaction stays open.
--
-- Every key makes each insert more expensive, so each has one reader: the unique key serves ingestion; claim serves
-- PollInbox; order_id serves the search for an order; the storefront's times serve the list of its events. claimed_until is
-- the time from which a row is free, first that of its insert, later the end of its lease, so that later rows do not
-- overtake earlier ones. Retention scans a key by status and time, which a later migration adds.
CREATE TABLE IF NOT EXISTS marketing_events (
  id BIGINT NOT NULL AUTO_INCREMENT,
  event_id VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  storefront_id INT NULL,
  storefront_code VARCHAR(50) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
  event_type VARCHAR(50) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  event_payload TEXT NOT NULL,
  source_system VARCHAR(50) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  status VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  order_id VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
  payload_digest BINARY(32) NULL,
  reason VARCHAR(50) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
  detail TEXT NULL,
  ends TEXT NULL,
  run_id VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
  generation INT NOT NULL DEFAULT 0,
  claimed_until DATETIME(6) NOT NULL DEFAULT (UTC_TIMESTAMP(6)),
  created_at DATETIME(6) NOT NULL DEFAULT (UTC_TIMESTAMP(6)),
  updated_at DATETIME(6) NOT NULL DEFAULT (UTC_TIMESTAMP(6)),
  finished_at DATETIME(6) NULL,
  PRIMARY KEY (id),
  UNIQUE KEY uq_marketing_events_event (event_id, event_type),
  KEY ix_marketing_events_claim (status, storefront_id, claimed_until),
  KEY ix_marketing_events_order (order_id),
  KEY ix_marketing_events_storefront (storefront_id, created_at),
  CONSTRAINT ck_marketing_events_storefront CHECK (storefront_id IS NOT NULL OR storefront_code IS NOT NULL),
  CONSTRAINT ck_marketing_events_status CHECK (status IN ('pending', 'processing', 'delivered', 'failed', 'skipped'))
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci

--bun:split

-- One row per attempt. attempt_id is created by the execution that sends, so that a repeated INSERT is recognised as the
-- same attempt.
CREATE TABLE IF NOT EXISTS event_attempts (
  id BIGINT NOT NULL AUTO_INCREMENT,
  attempt_id CHAR(32) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  marketing_event_id BIGINT NOT NULL,
  generation INT NOT NULL DEFAULT 0,
  destination VARCHAR(50) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  number INT NOT NULL DEFAULT 0,
  outcome VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  reason VARCHAR(50) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
  started_at DATETIME(6) NOT NULL DEFAULT (UTC_TIMESTAMP(6)),
  duration_us BIGINT NULL,
  method VARCHAR(10) NULL,
  url VARCHAR(2000) NULL,
  header_names TEXT NULL,
  request_body MEDIUMTEXT NULL,
  request_sha256 CHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
  adapter_version VARCHAR(100) NULL,
  dropped_fields TEXT NULL,
  response_status INT NULL,
  trace_id VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
  response_fields TEXT NULL,
  detail TEXT NULL,
  created_at DATETIME(6) NOT NULL DEFAULT (UTC_TIMESTAMP(6)),
  PRIMARY KEY (id),
  UNIQUE KEY uq_event_attempts_attempt (attempt_id),
  KEY ix_event_attempts_event (marketing_event_id, destination)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci
