-- What members think of a topic: the value that counts, and an append-only log of every change.

CREATE TABLE opinions (
  topic_id   bigint NOT NULL REFERENCES topics ON DELETE CASCADE,
  account_id bigint NOT NULL,
  value      int NOT NULL CHECK (value BETWEEN 1 AND 4),
  reason     text NOT NULL DEFAULT '',
  at         timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (topic_id, account_id)
);
CREATE INDEX opinions_by_account ON opinions (account_id);

CREATE TABLE opinion_log (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  topic_id   bigint NOT NULL,
  account_id bigint NOT NULL,
  value      int CHECK (value BETWEEN 1 AND 4), -- NULL: withdrawn
  reason     text NOT NULL DEFAULT '',
  at         timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX opinion_log_by_account ON opinion_log (account_id);

-- Each change of an opinion is an event of its own (outbox wants a distinct aggregate).
CREATE SEQUENCE opinion_changes;
