-- Limits of a platform's destinations per storefront, unless the credential has its own: relay.Limits as JSON.
ALTER TABLE ad_analytics_platforms ADD COLUMN limits TEXT NULL
