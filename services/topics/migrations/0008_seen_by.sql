-- Who finds a topic (services/topics/lifecycle.c says why): kept beside the state, which alone does not tell a
-- withdrawn draft, that nobody has read, from a topic that had been open.
ALTER TABLE topics ADD COLUMN seen_by text CHECK (seen_by IN ('proposer', 'organizers', 'everybody'));

-- In this state after that: the road widens who sees a topic, a side exit never does.
CREATE FUNCTION topic_seen_by(state text, before text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE
    WHEN state = 'draft' THEN 'proposer'
    WHEN state = 'proposed' THEN 'organizers'
    WHEN state IN ('open', 'shortlisted', 'scheduled', 'recorded', 'published') THEN 'everybody'
    WHEN state = 'withdrawn' AND before = 'everybody' THEN 'organizers'
    ELSE before END
$$;

-- The topics there are, by their log. One without a log that was not open is its author's alone.
UPDATE topics t
   SET seen_by = topic_seen_by(t.state,
         CASE WHEN 'withdrawn' IN (t.state, l.before) AND (t.opened_at IS NOT NULL OR l.submitted) THEN 'organizers'
              WHEN t.opened_at IS NOT NULL THEN 'everybody'
              WHEN l.submitted THEN 'organizers'
              ELSE 'proposer' END)
  FROM topics o
  CROSS JOIN LATERAL (SELECT coalesce(bool_or('proposed' IN (h.from_state, h.to_state)), false) AS submitted,
                             coalesce((array_agg(h.from_state ORDER BY h.version DESC))[1], '') AS before
                        FROM topic_transitions h WHERE h.topic_id = o.id) l
 WHERE o.id = t.id;
ALTER TABLE topics ALTER COLUMN seen_by SET NOT NULL;

-- By a trigger, so that a replica of before keeps it too.
CREATE FUNCTION keep_seen_by() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' THEN
    NEW.seen_by := topic_seen_by(NEW.state, OLD.seen_by);
  ELSIF NEW.seen_by IS NULL THEN
    NEW.seen_by := topic_seen_by(NEW.state, CASE WHEN NEW.opened_at IS NULL THEN 'proposer' ELSE 'everybody' END);
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER keep_seen_by BEFORE INSERT OR UPDATE OF state ON topics
  FOR EACH ROW EXECUTE FUNCTION keep_seen_by();

-- comments cannot tell these by their state, and is told.
WITH told AS (UPDATE topics SET version = version + 1 WHERE state IN ('withdrawn', 'declined', 'archived') RETURNING *)
INSERT INTO outbox (aggregate_type, aggregate_id, aggregate_version, type, payload)
SELECT 'topic', id, version, 'topic.edited',
       jsonb_build_object('topic_id', id, 'proposer_id', proposer_id, 'from_state', state, 'to_state', state, 'seen_by', seen_by)
  FROM told;
