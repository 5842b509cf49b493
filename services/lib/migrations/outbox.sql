-- What the service announces (lib/outbox.h). A row is inserted by the statement that makes it
-- true; the sequencer then gives it its dense number.
--
-- payload holds the further fields of causerie.Event by their names: actor_id, topic_id,
-- comment_id, parent_id, parent_author_id, target_id, from_state, to_state, proposer_id,
-- mentioned_ids, value. One that is absent or null is 0 or empty.
--
--     announced AS (INSERT INTO outbox (aggregate_type, aggregate_id, aggregate_version, type, trace, payload)
--                   SELECT 'comment', id, version, 'comment.posted', :trace::text,
--                          jsonb_build_object('actor_id', author_id, 'topic_id', topic_id, 'comment_id', id)
--                     FROM posted)
--
-- Take the aggregate's row lock (UPDATE … RETURNING version) before inserting here, or two of its
-- events can be numbered in the wrong order; the UNIQUE constraint notices when this was forgotten.
CREATE TABLE outbox (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	seq bigint UNIQUE,        -- NULL until numbered
	sequenced_at timestamptz, -- when it was numbered; retention counts from here
	aggregate_type text NOT NULL,
	aggregate_id bigint NOT NULL,
	aggregate_version bigint NOT NULL,
	type text NOT NULL,
	payload jsonb NOT NULL DEFAULT '{}',
	trace text,
	created_at timestamptz NOT NULL DEFAULT now(),
	UNIQUE (aggregate_type, aggregate_id, aggregate_version)
) WITH (fillfactor = 85);

CREATE INDEX outbox_unnumbered ON outbox (id) WHERE seq IS NULL;

-- epoch must rise whenever the database is restored from a backup (UPDATE outbox_head SET epoch =
-- epoch + 1), since numbers given after the backup are given again. It begins with the time, so that
-- a database made anew is not mistaken for the one before it.
CREATE TABLE outbox_head (
	one bool PRIMARY KEY DEFAULT true CHECK (one),
	epoch bigint NOT NULL,
	last bigint NOT NULL
);
INSERT INTO outbox_head (epoch, last) VALUES (extract(epoch FROM now())::bigint, 0);

-- Who reads, and how far; rows that somebody has not passed are kept. A consumer that will not
-- come back must be deleted here by the operator.
CREATE TABLE outbox_consumers (
	consumer text PRIMARY KEY,
	cursor bigint NOT NULL,
	seen_at timestamptz NOT NULL DEFAULT now()
);
