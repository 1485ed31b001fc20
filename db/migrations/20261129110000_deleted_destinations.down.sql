-- No release misses the rows that were removed. The statement finds none, for no storefront has this id: a migration has one for the
-- way back, too.
DELETE FROM destination_activity WHERE storefront_id = 0
