DROP TABLE IF EXISTS destination_activity
