-- Corrected rows stay corrected: an earlier release reads them.
ALTER TABLE ad_analytics_platforms DROP COLUMN seeded
