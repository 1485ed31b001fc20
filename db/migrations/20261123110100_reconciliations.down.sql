DROP TABLE IF EXISTS reconciliation
