ALTER TABLE ad_analytics_platforms DROP COLUMN limits
