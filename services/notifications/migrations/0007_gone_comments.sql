-- A comment that was deleted or hidden has left the inbox of those who were told of it.
ALTER TABLE deliveries ADD COLUMN gone boolean NOT NULL DEFAULT false;
CREATE INDEX deliveries_of_comment ON deliveries (comment_id) WHERE comment_id <> 0;
