-- The reason for which an event waits (relay.WaitsFor), and when its next attempt is due. Both are written when the wait
-- begins, so that an event that never waits costs nothing.
ALTER TABLE marketing_events ADD COLUMN waiting_for VARCHAR(20) NULL

--bun:split

ALTER TABLE marketing_events ADD COLUMN next_attempt_at DATETIME(6) NULL

--bun:split

-- The running worker processes, each with its last heartbeat: the limits of destinations are divided by their number.
CREATE TABLE IF NOT EXISTS relay_workers (
  id VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  seen_at DATETIME(6) NOT NULL,
  PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci
