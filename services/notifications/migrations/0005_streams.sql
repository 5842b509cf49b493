-- Mails of accounts are taken by themselves, however many others are due.
CREATE INDEX deliveries_due_by_stream ON deliveries ((reason = 'account'), due_at) WHERE state IN ('queued', 'deferred', 'unknown');
DROP INDEX deliveries_due;
