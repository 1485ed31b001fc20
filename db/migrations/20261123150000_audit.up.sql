-- The audit: who did what, and when. Rows are only added, in the transaction of the change. switched is the new state of a
-- kill switch: the latest such row of an entry names who last set its switch.
CREATE TABLE IF NOT EXISTS admin_audit (
  id BIGINT NOT NULL AUTO_INCREMENT,
  at DATETIME(6) NOT NULL DEFAULT (UTC_TIMESTAMP(6)),
  actor VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT '',
  action VARCHAR(50) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  entity VARCHAR(50) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  entity_id BIGINT NOT NULL DEFAULT 0,
  name VARCHAR(255) NOT NULL DEFAULT '',
  request_id VARCHAR(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT '',
  changes MEDIUMTEXT NULL,
  switched BOOL NULL,
  PRIMARY KEY (id),
  KEY ix_admin_audit_entity (entity, entity_id, id),
  KEY ix_admin_audit_actor (actor, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci

--bun:split

-- Ids of deleted storefronts. They are never used again, because rows of the inbox may still refer to them.
CREATE TABLE IF NOT EXISTS retired_storefronts (
  id INT NOT NULL,
  storefront_id VARCHAR(50) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  retired_at DATETIME(6) NOT NULL DEFAULT (UTC_TIMESTAMP(6)),
  PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci
