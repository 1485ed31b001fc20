-- What ops need of the inbox: finding events among millions, retrying and replaying them, and figures.

-- A replay: which events it picks, how far it has come (cursor_at, cursor_id), and what became of those it started.
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

-- The events that a replay has started and that have not been seen to end: what it is waiting for, and no more.
CREATE TABLE IF NOT EXISTS event_replay_items (
  replay_id BIGINT NOT NULL,
  marketing_event_id BIGINT NOT NULL,
  PRIMARY KEY (replay_id, marketing_event_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci

--bun:split

-- Figures by the hour in which events were received: what has become of them since. destination is '' for the events
-- themselves, where outcome is also 'received' and 'open'.
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

-- Which hours have been counted. One is counted again while events of it have not ended, and where a retry says so.
CREATE TABLE IF NOT EXISTS event_stats_hours (
  hour DATETIME NOT NULL,
  counted_at DATETIME(6) NOT NULL,
  unsettled BOOL NOT NULL DEFAULT 0,
  PRIMARY KEY (hour),
  KEY ix_event_stats_hours_unsettled (unsettled, counted_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci

--bun:split

-- resend is a JSON object: by destination, the generation from which on an accepted copy counts. The two keys are the list's
-- without and with a status; the first also counts an hour's events. Both grow at their ends. One statement, so that it is
-- done or not.
ALTER TABLE marketing_events
  ADD COLUMN resend TEXT NULL,
  ADD KEY ix_marketing_events_created (created_at),
  ADD KEY ix_marketing_events_status (status, created_at)
