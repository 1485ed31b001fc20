DROP TABLE IF EXISTS event_stats_purged
