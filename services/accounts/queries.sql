-- with: outbox, idempotency

-- The statements of accounts.

-- A new account, or a mail to whoever has the address already: the caller cannot tell which. One who waits to be
-- verified gets a mail for each sign-up, three an hour at most, with what was asked for kept beside it; a member
-- is told once an hour.
-- name: sign_up
WITH old AS (SELECT id, email, state FROM accounts WHERE email_folded = :email_folded::text),
     made AS (INSERT INTO accounts (email, email_folded, display_name, name_skeleton, password_hash, language, time_zone, state)
              SELECT :email::text, :email_folded, :display_name::text, :name_skeleton::text, :password_hash::text,
                     :language::text, :time_zone::text, 'unverified' WHERE NOT EXISTS (SELECT FROM old)
              ON CONFLICT (email_folded) DO NOTHING RETURNING id, version, email),
     mailed AS (INSERT INTO mails (account_id, purpose, email, expires_at)
                SELECT id, 'verify_address', email, now() + interval '3 days' FROM made
                UNION ALL
                SELECT id, CASE state WHEN 'unverified' THEN 'verify_address' ELSE 'already_registered' END, email,
                       now() + interval '3 days'
                  FROM old WHERE state IN ('unverified', 'active', 'closing')
                   AND (SELECT count(*) FROM mails m WHERE m.account_id = old.id AND m.created_at > now() - interval '1 hour'
                           AND m.purpose IN ('verify_address', 'already_registered'))
                       < CASE state WHEN 'unverified' THEN 3 ELSE 1 END
                RETURNING id, account_id, purpose),
     kept AS (INSERT INTO sign_ups (mail_id, display_name, name_skeleton, password_hash, language, time_zone)
              SELECT mailed.id, :display_name, :name_skeleton, :password_hash, :language, :time_zone
                FROM mailed JOIN old ON old.id = mailed.account_id WHERE purpose = 'verify_address'),
     created AS (INSERT INTO outbox (aggregate_type, aggregate_id, aggregate_version, type, trace, payload)
                 SELECT 'account', id, version, 'account.created', :trace::text, jsonb_build_object('actor_id', id) FROM made),
     wanted AS (INSERT INTO outbox (aggregate_type, aggregate_id, aggregate_version, type, trace, payload)
                SELECT 'mail', id, 1, 'account.mail_wanted', :trace,
                       jsonb_build_object('actor_id', account_id, 'target_id', account_id, 'to_state', purpose) FROM mailed)
SELECT (SELECT id FROM made) AS id;

-- name: name_taken
SELECT name_is_taken(:name_skeleton::text, NULL) AS taken;

-- Whoever has lost the way back to an account that is about to be erased gets it again, whatever link they asked for.
-- name: want_mail
WITH meant AS (SELECT id AS account_id, email, CASE state WHEN 'closing' THEN 'account_closing' ELSE :purpose::text END AS purpose,
                      CASE state WHEN 'closing' THEN closing_at ELSE now() + :seconds::bigint * interval '1 second' END AS expires_at
                 FROM accounts
                WHERE (id = :account_id::bigint OR email_folded = :email_folded::text) AND state = ANY (:states::text[])),
     mailed AS (INSERT INTO mails (account_id, purpose, email, expires_at)
                SELECT account_id, purpose, email, expires_at FROM meant
                 WHERE (SELECT count(*) FROM mails m WHERE m.account_id = meant.account_id AND m.purpose = meant.purpose
                           AND m.created_at > now() - interval '1 hour') < :hourly::bigint
                RETURNING id, account_id, purpose),
     wanted AS (INSERT INTO outbox (aggregate_type, aggregate_id, aggregate_version, type, trace, payload)
                SELECT 'mail', id, 1, 'account.mail_wanted', :trace::text,
                       jsonb_build_object('actor_id', account_id, 'target_id', account_id, 'to_state', purpose) FROM mailed)
SELECT id FROM mailed;

-- name: compose_mail
SELECT m.purpose, m.expires_at, a.id AS account_id, a.email, coalesce(s.display_name, a.display_name) AS display_name,
       coalesce(s.language, a.language) AS language, coalesce(s.time_zone, a.time_zone) AS time_zone, a.state, a.bouncing
  FROM mails m JOIN accounts a ON a.id = m.account_id LEFT JOIN sign_ups s ON s.mail_id = m.id
 WHERE m.id = :mail_id::bigint AND m.used_at IS NULL AND m.expires_at > now() AND m.email = a.email;

-- The sign-up whose link was opened comes into force: nothing stays of what somebody else did with the account
-- before, no session, no other link, no profile. A name that was taken meanwhile gets the account's number.
-- Repeating a verification is harmless: the link may be opened twice.
-- name: verify
WITH used AS (UPDATE mails m SET used_at = coalesce(m.used_at, now()) FROM accounts a
               WHERE m.id = :mail_id::bigint AND m.purpose = 'verify_address' AND a.id = m.account_id AND m.email = a.email
                 AND (m.expires_at > now() OR m.used_at IS NOT NULL) AND a.state IN ('unverified', 'active')
              RETURNING m.id, m.account_id),
     wanted AS (SELECT a.id, s.mail_id IS NOT NULL AS later, coalesce(s.display_name, a.display_name) AS display_name,
                       coalesce(s.name_skeleton, a.name_skeleton) AS name_skeleton,
                       coalesce(s.password_hash, a.password_hash) AS password_hash,
                       coalesce(s.language, a.language) AS language, coalesce(s.time_zone, a.time_zone) AS time_zone
                  FROM used JOIN accounts a ON a.id = used.account_id LEFT JOIN sign_ups s ON s.mail_id = used.id
                 WHERE a.state = 'unverified'),
     named AS (SELECT *, name_is_taken(name_skeleton, id) AS taken FROM wanted),
     made AS (UPDATE accounts a SET state = 'active', version = a.version + 1, bouncing = false,
                     display_name = CASE WHEN taken THEN left(n.display_name, 59 - length(n.id::text)) || ' ' || n.id
                                         ELSE n.display_name END,
                     name_skeleton = CASE WHEN taken THEN n.name_skeleton || translate(n.id::text, '015', 'ols')
                                          ELSE n.name_skeleton END,
                     password_hash = n.password_hash, language = n.language, time_zone = n.time_zone,
                     organisation = CASE WHEN later THEN '' ELSE a.organisation END,
                     bio = CASE WHEN later THEN '' ELSE a.bio END,
                     expertises = CASE WHEN later THEN '{}' ELSE a.expertises END
                FROM named n WHERE a.id = n.id AND a.state = 'unverified' RETURNING a.id, a.version),
     reached AS (UPDATE accounts a SET version = a.version + 1, bouncing = false FROM used
                  WHERE a.id = used.account_id AND a.state = 'active' AND a.bouncing RETURNING a.id, a.version),
     ended AS (UPDATE sessions s SET ended_at = now() FROM made WHERE s.account_id = made.id AND s.ended_at IS NULL RETURNING s.token_hash),
     void AS (UPDATE mails m SET used_at = now() FROM made, used
               WHERE m.account_id = made.id AND m.purpose = 'verify_address' AND m.used_at IS NULL AND m.id <> used.id),
     announced AS (INSERT INTO outbox (aggregate_type, aggregate_id, aggregate_version, type, trace, payload)
                   SELECT 'account', id, version, 'account.verified', :trace::text, jsonb_build_object('actor_id', id)
                     FROM (SELECT * FROM made UNION ALL SELECT * FROM reached) AS changed)
SELECT account_id, (SELECT array_agg(encode(token_hash, 'hex')) FROM ended) AS hashes FROM used;

-- name: find_password
SELECT id, password_hash, state FROM accounts WHERE email_folded = :email_folded::text AND state IN ('unverified', 'active', 'closing');

-- name: find_own_password
SELECT id, password_hash, state, roles, closing_at AS erased_at FROM accounts WHERE id = :viewer_id::bigint;

-- At most 100 open sessions a person: the oldest makes room.
-- name: open_session
WITH full_house AS (SELECT id FROM sessions WHERE account_id = :account_id::bigint AND ended_at IS NULL ORDER BY seen_at DESC OFFSET 99),
     ended AS (UPDATE sessions SET ended_at = now() WHERE id IN (SELECT id FROM full_house)),
     rehashed AS (UPDATE accounts SET password_hash = :new_hash::text WHERE id = :account_id AND :new_hash::text IS NOT NULL)
INSERT INTO sessions (token_hash, account_id, label, network, api)
VALUES (:token_hash::bytea, :account_id, :label::text, :network::text, :api::boolean) RETURNING id;

-- name: find_session
WITH found AS (SELECT s.id, s.account_id, s.api, s.created_at, s.seen_at, s.label
                 FROM sessions s
                WHERE s.token_hash = :token_hash::bytea AND s.ended_at IS NULL
                  AND s.seen_at > now() - CASE WHEN s.api THEN interval '1 year' ELSE interval '30 days' END),
     seen AS (UPDATE sessions s SET seen_at = now() FROM found
               WHERE s.id = found.id AND found.seen_at < now() - interval '5 minutes')
SELECT f.id, f.account_id, f.api, f.created_at, f.seen_at, f.label,
       a.roles, a.state, a.display_name, a.language, a.time_zone, a.bouncing
  FROM found f JOIN accounts a ON a.id = f.account_id WHERE a.state IN ('unverified', 'active');

-- name: list_sessions
SELECT id, account_id, api, created_at, seen_at, label, token_hash = :token_hash::bytea AS current
  FROM sessions WHERE account_id = :viewer_id::bigint AND ended_at IS NULL
   AND seen_at > now() - CASE WHEN api THEN interval '1 year' ELSE interval '30 days' END
 ORDER BY seen_at DESC LIMIT 200;

-- One by its id or token, or all of a person but one. Gives the hashes that Redis must forget.
-- name: end_sessions
UPDATE sessions SET ended_at = now()
 WHERE ended_at IS NULL
   AND CASE WHEN :all_others::boolean THEN account_id = :account_id::bigint AND token_hash IS DISTINCT FROM :token_hash::bytea
            WHEN :session_id::bigint IS NOT NULL THEN id = :session_id AND account_id = :account_id
            ELSE token_hash = :token_hash END
RETURNING encode(token_hash, 'hex') AS hash;

-- Run by the outbox's housekeeping. One that ended is kept for a week, for whoever asks where they were signed in.
-- name: forget_sessions
DELETE FROM sessions
 WHERE id IN (SELECT id FROM sessions
               WHERE ended_at < now() - interval '7 days'
                  OR (ended_at IS NULL AND NOT api AND seen_at < now() - interval '31 days')
                  OR (ended_at IS NULL AND api AND seen_at < now() - interval '367 days')
               LIMIT 1000);

-- A link that is over, with the sign-up that waited for it. None is counted or composed any more by then.
-- name: forget_mails
DELETE FROM mails WHERE id IN (SELECT id FROM mails WHERE expires_at < now() - interval '7 days' ORDER BY expires_at LIMIT 1000);

-- name: session_hashes
SELECT encode(token_hash, 'hex') AS hash FROM sessions WHERE account_id = :account_id::bigint AND ended_at IS NULL;

-- name: get_people
SELECT id, display_name, state, roles, organisation, bio FROM accounts WHERE id = ANY (:ids::bigint[]);

-- name: get_recipients
SELECT id AS account_id, email, display_name, language, time_zone, state, bouncing FROM accounts
 WHERE id = ANY (:ids::bigint[]) AND state <> 'erased';

-- name: get_account
SELECT id, email, display_name, language, time_zone, roles, state, organisation, bio, expertises, created_at, bouncing
  FROM accounts WHERE id = :account_id::bigint AND state <> 'erased';

-- NULL leaves a field as it is.
-- name: change_account
WITH made AS (UPDATE accounts SET version = version + 1,
                     display_name = coalesce(:display_name::text, display_name),
                     name_skeleton = coalesce(:name_skeleton::text, name_skeleton),
                     language = coalesce(:language::text, language),
                     time_zone = coalesce(:time_zone::text, time_zone),
                     organisation = coalesce(:organisation::text, organisation),
                     bio = coalesce(:bio::text, bio),
                     expertises = coalesce(:expertises::text[], expertises)
               WHERE id = :viewer_id::bigint AND state IN ('unverified', 'active')
                 AND NOT name_is_taken(:name_skeleton, id) RETURNING id, version),
     announced AS (INSERT INTO outbox (aggregate_type, aggregate_id, aggregate_version, type, trace, payload)
                   SELECT 'account', id, version, 'account.changed', :trace::text, jsonb_build_object('actor_id', id) FROM made)
SELECT name_is_taken(:name_skeleton, :viewer_id) AS taken;

-- The link is used up, every other one is void, and the old sessions are over. It went to the address, so it
-- verifies it, too.
-- name: reset_password
WITH used AS (UPDATE mails m SET used_at = now() FROM accounts a
               WHERE m.id = :mail_id::bigint AND m.purpose = 'reset_password' AND m.used_at IS NULL AND m.expires_at > now()
                 AND a.id = m.account_id AND m.email = a.email AND a.state IN ('unverified', 'active')
              RETURNING m.id, m.account_id, m.email),
     void AS (UPDATE mails m SET used_at = now() FROM used
               WHERE m.account_id = used.account_id AND m.purpose IN ('reset_password', 'verify_address') AND m.used_at IS NULL
                 AND m.id <> used.id),
     named AS (SELECT a.id, a.state = 'unverified' AND name_is_taken(a.name_skeleton, a.id) AS taken
                 FROM used JOIN accounts a ON a.id = used.account_id),
     made AS (UPDATE accounts a SET password_hash = :password_hash::text, version = a.version + 1,
                     display_name = CASE WHEN taken THEN left(a.display_name, 59 - length(a.id::text)) || ' ' || a.id
                                         ELSE a.display_name END,
                     name_skeleton = CASE WHEN taken THEN a.name_skeleton || translate(a.id::text, '015', 'ols')
                                          ELSE a.name_skeleton END,
                     state = CASE a.state WHEN 'unverified' THEN 'active' ELSE a.state END
                FROM named n WHERE a.id = n.id RETURNING a.id, a.version),
     ended AS (UPDATE sessions s SET ended_at = now() FROM made WHERE s.account_id = made.id AND s.ended_at IS NULL RETURNING s.token_hash),
     told AS (INSERT INTO mails (account_id, purpose, email, expires_at)
              SELECT account_id, 'password_changed', email, now() + interval '3 days' FROM used RETURNING id, account_id, purpose),
     wanted AS (INSERT INTO outbox (aggregate_type, aggregate_id, aggregate_version, type, trace, payload)
                SELECT 'mail', id, 1, 'account.mail_wanted', :trace::text,
                       jsonb_build_object('actor_id', account_id, 'target_id', account_id, 'to_state', purpose) FROM told),
     announced AS (INSERT INTO outbox (aggregate_type, aggregate_id, aggregate_version, type, trace, payload)
                   SELECT 'account', id, version, 'account.changed', :trace, jsonb_build_object('actor_id', id) FROM made)
SELECT made.id, (SELECT array_agg(encode(token_hash, 'hex')) FROM ended) AS hashes FROM made;

-- name: change_password
WITH made AS (UPDATE accounts SET password_hash = :password_hash::text, version = version + 1
               WHERE id = :viewer_id::bigint AND password_hash = :old_hash::text RETURNING id, version, email),
     ended AS (UPDATE sessions s SET ended_at = now() FROM made
                WHERE s.account_id = made.id AND s.ended_at IS NULL AND s.token_hash IS DISTINCT FROM :token_hash::bytea
               RETURNING s.token_hash),
     void AS (UPDATE mails m SET used_at = now() FROM made WHERE m.account_id = made.id AND m.purpose = 'reset_password' AND m.used_at IS NULL),
     told AS (INSERT INTO mails (account_id, purpose, email, expires_at)
              SELECT id, 'password_changed', email, now() + interval '3 days' FROM made RETURNING id, account_id, purpose),
     wanted AS (INSERT INTO outbox (aggregate_type, aggregate_id, aggregate_version, type, trace, payload)
                SELECT 'mail', id, 1, 'account.mail_wanted', :trace::text,
                       jsonb_build_object('actor_id', account_id, 'target_id', account_id, 'to_state', purpose) FROM told)
SELECT made.id, (SELECT array_agg(encode(token_hash, 'hex')) FROM ended) AS hashes FROM made;

-- From here on nobody signs in, and no other link in a mail serves. An address that was never confirmed has no way
-- back by mail and goes at once; it gives its name up, which it had only asked for. The one who organizes the site
-- alone stays: organizers are locked in one order, so that of the last two only one leaves.
-- name: close_account
WITH others AS (SELECT o.id FROM accounts o JOIN accounts mine ON mine.id = :viewer_id::bigint AND mine.roles & :organizer::int <> 0
                 WHERE o.roles & :organizer <> 0 AND o.state = 'active' ORDER BY o.id FOR UPDATE OF o),
     closed AS (UPDATE accounts SET state = 'closing', version = version + 1,
                       closing_at = now() + CASE state WHEN 'active' THEN :after_ms::bigint ELSE 0 END * interval '1 millisecond',
                       name_skeleton = CASE state WHEN 'active' THEN name_skeleton END,
                       removes_comments = :remove_comments::boolean
                 WHERE id = :viewer_id AND state IN ('unverified', 'active') AND password_hash = :old_hash::text
                   AND (roles & :organizer = 0 OR EXISTS (SELECT FROM others WHERE others.id <> :viewer_id))
                RETURNING id, email, closing_at),
     ended AS (UPDATE sessions s SET ended_at = now() FROM closed WHERE s.account_id = closed.id AND s.ended_at IS NULL RETURNING s.token_hash),
     void AS (UPDATE mails m SET used_at = now() FROM closed
               WHERE m.account_id = closed.id AND m.purpose IN ('reset_password', 'verify_address') AND m.used_at IS NULL),
     told AS (INSERT INTO mails (account_id, purpose, email, expires_at)
              SELECT id, 'account_closing', email, closing_at FROM closed WHERE closing_at > now() RETURNING id, account_id, purpose),
     wanted AS (INSERT INTO outbox (aggregate_type, aggregate_id, aggregate_version, type, trace, payload)
                SELECT 'mail', id, 1, 'account.mail_wanted', :trace::text,
                       jsonb_build_object('actor_id', account_id, 'target_id', account_id, 'to_state', purpose) FROM told)
SELECT closed.id, (SELECT array_agg(encode(token_hash, 'hex')) FROM ended) AS hashes FROM closed;

-- Repeating it is harmless: the link may be opened twice.
-- name: keep_account
WITH used AS (UPDATE mails m SET used_at = coalesce(m.used_at, now()) FROM accounts a
               WHERE m.id = :mail_id::bigint AND m.purpose = 'account_closing' AND a.id = m.account_id AND m.email = a.email
                 AND (a.state = 'closing' AND m.used_at IS NULL AND m.expires_at > now() OR a.state = 'active' AND m.used_at IS NOT NULL)
              RETURNING m.id, m.account_id),
     void AS (UPDATE mails m SET used_at = now() FROM used
               WHERE m.account_id = used.account_id AND m.purpose = 'account_closing' AND m.used_at IS NULL AND m.id <> used.id),
     kept AS (UPDATE accounts a SET state = 'active', version = a.version + 1, closing_at = NULL
                FROM used WHERE a.id = used.account_id AND a.state = 'closing')
SELECT account_id FROM used;

-- Those whose time has come. What is left is a number without a name, and when it was erased; everybody else who
-- knows something of the person hears of it by the event.
-- name: erase_accounts
WITH due AS (SELECT id FROM accounts WHERE state = 'closing' AND closing_at <= now()
              ORDER BY closing_at LIMIT :limit::bigint FOR UPDATE SKIP LOCKED),
     erased AS (UPDATE accounts a SET state = 'erased', version = a.version + 1, email = NULL, email_folded = NULL, display_name = '',
                       name_skeleton = NULL, password_hash = NULL, language = DEFAULT, time_zone = DEFAULT, roles = 0,
                       organisation = '', bio = '', expertises = '{}', bouncing = false
                  FROM due WHERE a.id = due.id RETURNING a.id, a.version, a.removes_comments),
     signed_out AS (DELETE FROM sessions s USING erased e WHERE s.account_id = e.id),
     unmailed AS (DELETE FROM mails m USING erased e WHERE m.account_id = e.id),
     unblocked AS (DELETE FROM blocks b USING erased e WHERE e.id IN (b.account_id, b.blocked_id)),
     announced AS (INSERT INTO outbox (aggregate_type, aggregate_id, aggregate_version, type, payload)
                   SELECT 'account', id, version, 'account.erased',
                          jsonb_build_object('actor_id', id, 'to_state', CASE WHEN removes_comments THEN 'without_comments' END)
                     FROM erased)
SELECT id FROM erased;
