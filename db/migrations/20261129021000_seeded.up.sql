-- The entry of the platform catalogue from which a row was written last, as JSON: a later release corrects the fields that are still
-- as they were seeded, and leaves those that an admin has changed.
ALTER TABLE ad_analytics_platforms ADD COLUMN seeded TEXT NULL
