-- Operations on the inbox: searching millions of events, retrying and replaying them, and statistics.

-- A replay: its filter, its cursor (cursor_at, cursor_id), and the results of the events that it started.
CREATE TABLE IF NOT EXISTS event_replays (
  id BIGINT NOT NULL AUTO_INCREMENT,
  state VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  filter TEXT NOT NULL,
  resend TEXT NULL,
  rate INT NOT NULL,
  created_by VARCHAR(255) NOT NULL DEFAULT '',
  matched BIGINT NOT NULL DEFAULT 0,
  started BIGINT NOT NULL DEFAULT 0,
  delivered BIGINT NOT NULL DEFAULT 0,
  failed BIGINT NOT NULL DEFAULT 0,
  skipped BIGINT NOT NULL DEFAULT 0,
  walked BOOL NOT NULL DEFAULT 0,
  cursor_at DATETIME(6) NULL,
  cursor_id BIGINT NULL,
  created_at DATETIME(6) NOT NULL DEFAULT (UTC_TIMESTAMP(6)),
  ended_at DATETIME(6) NULL,
  PRIMARY KEY (id),
  KEY ix_event_replays_ended (ended_at, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci

--bun:split

-- Events that a replay has started and whose end it has not counted yet.
CREATE TABLE IF NOT EXISTS event_replay_items (
  replay_id BIGINT NOT NULL,
  marketing_event_id BIGINT NOT NULL,
  PRIMARY KEY (replay_id, marketing_event_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci

--bun:split

-- Statistics by the hour in which events were received, with their outcomes since. destination is '' for the events
-- themselves, whose outcome may also be 'received' and 'open'.
CREATE TABLE IF NOT EXISTS event_stats (
  hour DATETIME NOT NULL,
  storefront_id INT NOT NULL,
  destination VARCHAR(50) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT '',
  outcome VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  reason VARCHAR(50) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT '',
  n BIGINT NOT NULL,
  PRIMARY KEY (hour, storefront_id, destination, outcome, reason)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci

--bun:split

-- The counted hours. An hour is recounted while some of its events have not ended, and when a retry marks it.
CREATE TABLE IF NOT EXISTS event_stats_hours (
  hour DATETIME NOT NULL,
  counted_at DATETIME(6) NOT NULL,
  unsettled BOOL NOT NULL DEFAULT 0,
  PRIMARY KEY (hour),
  KEY ix_event_stats_hours_unsettled (unsettled, counted_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci

--bun:split

-- resend is a JSON object: by destination, the generation from which on an accepted copy counts. The two keys serve the list
-- without and with a status; the first also counts an hour's events. Both grow at their ends. It is one statement, so that
-- it is atomic.
ALTER TABLE marketing_events
  ADD COLUMN resend TEXT NULL,
  ADD KEY ix_marketing_events_created (created_at),
  ADD KEY ix_marketing_events_status (status, created_at)
