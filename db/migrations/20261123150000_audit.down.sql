DROP TABLE IF EXISTS retired_storefronts

--bun:split

DROP TABLE IF EXISTS admin_audit
