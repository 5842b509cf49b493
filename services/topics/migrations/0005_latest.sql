-- The list, newest first, reads as many rows as it shows.
CREATE INDEX topics_latest ON topics (coalesce(opened_at, created_at) DESC, id DESC);
DROP INDEX topics_recent; -- nothing sorts by opened_at alone
