-- For the housekeeping: what has ended, oldest first.
CREATE INDEX deliveries_ended ON deliveries (at) WHERE state IN ('sent', 'skipped', 'failed');
