DROP TABLE IF EXISTS attempt_stats
