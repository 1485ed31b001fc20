INSERT INTO marketing_events (
    event_id,
    storefront_id,      -- Integer FK (same as OMS storefronts.id)
    event_type,
    event_payload,
    source_system,
    status
) VALUES (
    '2025020100003333',
    5,                  -- Integer storefront ID
    'purchase_completed',
    '{"order_id": "2025020100003333", "order_revenue": 80.79, "utm_source": "google"}',
    'oms_direct',
    'pending'
);
