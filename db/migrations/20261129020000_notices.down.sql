DROP TABLE IF EXISTS notice_state

--bun:split

DROP TABLE IF EXISTS notices
