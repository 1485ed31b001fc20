-- What a worker process sends at most to each storefront's destination at a platform, unless the credential says otherwise:
-- relay.Limits as JSON.
ALTER TABLE ad_analytics_platforms ADD COLUMN limits TEXT NULL
