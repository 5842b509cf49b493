-- Who follows what, what was told to whom, and the queue of mails.

-- What a member follows; level by choice, or by having written there.
CREATE TABLE follows (
  topic_id   bigint NOT NULL,
  account_id bigint NOT NULL,
  level      text NOT NULL CHECK (level IN ('all', 'replies', 'milestones', 'mute')),
  chosen     boolean NOT NULL DEFAULT false,
  at         timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (topic_id, account_id)
);
CREATE INDEX follows_by_account ON follows (account_id);

-- What a member wants mailed; nobody without a row has said anything.
CREATE TABLE preferences (
  account_id bigint PRIMARY KEY,
  rhythm     text NOT NULL DEFAULT 'at_once' CHECK (rhythm IN ('at_once', 'hourly', 'daily', 'weekly', 'never')),
  local_hour int NOT NULL DEFAULT 8 CHECK (local_hour BETWEEN 0 AND 23),
  replies    boolean NOT NULL DEFAULT true,
  follows    boolean NOT NULL DEFAULT true,
  states     boolean NOT NULL DEFAULT true
);

-- One line for each event and person: the inbox on the site, and the mail that goes with it, if any.
-- The key makes an event that is applied again a repeat of nothing.
CREATE TABLE deliveries (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  source     text NOT NULL,                -- whose event
  epoch      bigint NOT NULL,
  seq        bigint NOT NULL,
  account_id bigint NOT NULL,
  reason     text NOT NULL CHECK (reason IN ('invitation', 'mention', 'reply', 'proposer', 'follow', 'state', 'digest', 'account')),
  type       text NOT NULL,
  topic_id   bigint NOT NULL DEFAULT 0,
  comment_id bigint NOT NULL DEFAULT 0,
  parent_id  bigint NOT NULL DEFAULT 0,
  actor_id   bigint NOT NULL DEFAULT 0,
  mail_id    bigint NOT NULL DEFAULT 0,    -- of accounts, for a mail with a secret
  to_state   text NOT NULL DEFAULT '',
  trace      text NOT NULL DEFAULT '',
  at         timestamptz NOT NULL DEFAULT now(),
  read_at    timestamptz,
  -- the mail
  state      text NOT NULL CHECK (state IN ('queued', 'sending', 'sent', 'deferred', 'failed', 'skipped', 'unknown')),
  why        text NOT NULL DEFAULT '',
  due_at     timestamptz NOT NULL,
  attempt    int NOT NULL DEFAULT 0,
  worker     text NOT NULL DEFAULT '',
  lease_until timestamptz,
  data_sent_at timestamptz,                -- everything but the final dot has been sent
  message_id text NOT NULL DEFAULT '',
  sent_at    timestamptz,
  UNIQUE (source, epoch, seq, account_id)
) WITH (fillfactor = 80);
CREATE INDEX deliveries_due ON deliveries (due_at) WHERE state IN ('queued', 'deferred', 'unknown');
CREATE INDEX deliveries_leased ON deliveries (lease_until) WHERE state = 'sending';
CREATE INDEX deliveries_of_account ON deliveries (account_id, id DESC);
CREATE INDEX deliveries_unread ON deliveries (account_id, topic_id) WHERE read_at IS NULL;

-- Addresses that stopped answering (RFC 3464), by person; scores fall with time.
CREATE TABLE bounces (
  account_id bigint PRIMARY KEY,
  score      real NOT NULL,
  at         timestamptz NOT NULL DEFAULT now()
);
