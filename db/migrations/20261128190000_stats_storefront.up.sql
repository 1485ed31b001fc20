-- The figures of one storefront over time: by the primary key all storefronts' rows of those hours would be read.
ALTER TABLE event_stats ADD KEY ix_event_stats_storefront (storefront_id, hour)
