DROP TABLE IF EXISTS event_attempts

--bun:split

DROP TABLE IF EXISTS marketing_events

--bun:split

DROP TABLE IF EXISTS platform_credentials

--bun:split

DROP TABLE IF EXISTS ad_analytics_platforms

--bun:split

DROP TABLE IF EXISTS storefront_sgtm_config

--bun:split

DROP TABLE IF EXISTS storefronts
