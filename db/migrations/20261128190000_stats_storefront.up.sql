-- Serves one storefront's statistics over time: the primary key would read the rows of all storefronts.
ALTER TABLE event_stats ADD KEY ix_event_stats_storefront (storefront_id, hour)
