-- What organizers say about two topics: that they belong together, or that they do not. It holds in
-- both directions, so a pair stands here once, the lower id first. The table it replaces was never used.

DROP TABLE neighbours;

CREATE TABLE related_pairs (
  topic_id bigint NOT NULL REFERENCES topics ON DELETE CASCADE,
  other_id bigint NOT NULL REFERENCES topics ON DELETE CASCADE,
  pairing  text NOT NULL CHECK (pairing IN ('pinned', 'banned')),
  actor_id bigint NOT NULL,
  at       timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (topic_id, other_id),
  CHECK (topic_id < other_id)
);
CREATE INDEX related_pairs_by_other ON related_pairs (other_id);

-- Every change, append-only; each is an event of its own (outbox wants a distinct aggregate).
CREATE TABLE related_pair_log (
  id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  topic_id bigint NOT NULL,
  other_id bigint NOT NULL,
  pairing  text CHECK (pairing IN ('pinned', 'banned')), -- NULL: freed
  actor_id bigint NOT NULL,
  at       timestamptz NOT NULL DEFAULT now()
);
