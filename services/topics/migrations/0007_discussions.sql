-- How much a topic is discussed stands apart from its text: every comment changes it, and each change of a
-- row of topics with another commented_at wrote all its index entries anew, the words of the article among them.
CREATE TABLE discussions (
  topic_id     bigint PRIMARY KEY REFERENCES topics,
  comments     int NOT NULL DEFAULT 0,     -- as comments has announced them
  commented_at timestamptz                 -- the last one was posted
) WITH (fillfactor = 70);
CREATE INDEX discussions_latest ON discussions (commented_at DESC, topic_id DESC) WHERE commented_at IS NOT NULL;
INSERT INTO discussions SELECT id, comments, commented_at FROM topics WHERE comments > 0 OR commented_at IS NOT NULL;
DROP INDEX topics_discussed;

-- A replica of before still counts in topics (and reads there what is only as old as this migration).
CREATE FUNCTION count_in_discussions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO discussions AS d VALUES (NEW.id, NEW.comments, NEW.commented_at)
  ON CONFLICT (topic_id) DO UPDATE SET comments = greatest(d.comments + NEW.comments - OLD.comments, 0), commented_at = NEW.commented_at;
  RETURN NULL;
END $$;
CREATE TRIGGER count_in_discussions AFTER UPDATE OF comments, commented_at ON topics
  FOR EACH ROW EXECUTE FUNCTION count_in_discussions();
