-- Destinations whose container or credential was deleted: until this release their rows stayed, and unhealthy ones were counted for
-- ever. CONVERT makes the codes comparable where OMS created the tables with another character set.
DELETE h FROM destination_health h LEFT JOIN storefront_sgtm_config c ON h.destination = 'sgtm' AND c.storefront_id = h.storefront_id
WHERE c.id IS NULL AND NOT EXISTS (SELECT 1 FROM platform_credentials k JOIN ad_analytics_platforms p ON p.id = k.platform_id
  WHERE k.storefront_id = h.storefront_id AND CONVERT(p.code USING utf8mb4) COLLATE utf8mb4_bin = h.destination)

--bun:split

DELETE l FROM destination_activity l LEFT JOIN storefront_sgtm_config c ON l.destination = 'sgtm' AND c.storefront_id = l.storefront_id
WHERE c.id IS NULL AND NOT EXISTS (SELECT 1 FROM platform_credentials k JOIN ad_analytics_platforms p ON p.id = k.platform_id
  WHERE k.storefront_id = l.storefront_id AND CONVERT(p.code USING utf8mb4) COLLATE utf8mb4_bin = l.destination)
