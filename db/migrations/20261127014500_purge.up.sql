-- Statistics of purged events, in the columns of event_stats, written in the transaction that deletes the events. A recount
-- of an hour adds them to the counts of the remaining events, so that statistics outlive their events.
CREATE TABLE IF NOT EXISTS event_stats_purged (
  hour DATETIME NOT NULL,
  storefront_id INT NOT NULL,
  destination VARCHAR(50) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT '',
  outcome VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  reason VARCHAR(50) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT '',
  n BIGINT NOT NULL,
  PRIMARY KEY (hour, storefront_id, destination, outcome, reason)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci
