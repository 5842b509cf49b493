-- What housekeeping looks for (queries.sql, forget_sessions and forget_mails).
CREATE INDEX sessions_ended ON sessions (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX sessions_seen ON sessions (api, seen_at) WHERE ended_at IS NULL;
CREATE INDEX mails_expired ON mails (expires_at);
