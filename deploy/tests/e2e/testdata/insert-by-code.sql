INSERT INTO marketing_events (
    event_id,
    storefront_code,    -- String code, worker resolves to storefront_id
    event_type,
    event_payload,
    source_system,
    status
) VALUES (
    '2025020100003333',
    'bosley',           -- String storefront code
    'purchase_completed',
    '{"order_id": "2025020100003333", "order_revenue": 80.79, "utm_source": "google"}',
    'oms_direct',
    'pending'
);
