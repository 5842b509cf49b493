-- What was asked for under a key, as a hash: the same key with another request is a mistake, not a repeat.
-- NULL: an older build made it.
ALTER TABLE requests ADD COLUMN asked bytea;
