-- with: consumer

-- The statements of notifications. Whom an event concerns is decided here, in the
-- statement that moves the cursor, from those who follow at that moment.

-- Comments: each one's parent's author, its topic's proposer, followers of everything; each once, for the
-- strongest reason, never its own author, nobody who muted the topic. Who writes begins to follow.
-- name: comments_posted
WITH moved AS (UPDATE cursors SET seq = :to::bigint
                WHERE consumer = :consumer::text AND source = :source::text AND epoch = :epoch::bigint AND seq = :from::bigint
               RETURNING 1),
     posted AS (SELECT p.* FROM moved, unnest(:seq::bigint[], :topic_id::bigint[], :comment_id::bigint[], :parent_id::bigint[],
                                              :parent_author_id::bigint[], :proposer_id::bigint[], :actor_id::bigint[], :trace::text[])
                       AS p (seq, topic_id, comment_id, parent_id, parent_author_id, proposer_id, actor_id, trace)),
     concerned AS (SELECT seq, parent_author_id AS account_id, 'reply' AS reason, 3 AS strength FROM posted
                   UNION ALL SELECT seq, proposer_id, 'proposer', 4 FROM posted
                   UNION ALL SELECT seq, account_id, 'follow', 5 FROM posted JOIN follows USING (topic_id) WHERE level = 'all'),
     told AS (SELECT DISTINCT ON (seq, c.account_id) posted.*, c.account_id, c.reason
                FROM concerned c JOIN posted USING (seq)
               WHERE c.account_id <> 0 AND c.account_id IS DISTINCT FROM actor_id
                 AND NOT EXISTS (SELECT FROM follows f WHERE f.topic_id = posted.topic_id AND f.account_id = c.account_id AND f.level = 'mute')
               ORDER BY seq, c.account_id, strength),
     following AS (INSERT INTO follows (topic_id, account_id, level)
                   SELECT DISTINCT topic_id, actor_id, 'replies' FROM posted WHERE actor_id IS NOT NULL ON CONFLICT DO NOTHING),
     queued AS (INSERT INTO deliveries (source, epoch, seq, account_id, reason, type, topic_id, comment_id, parent_id, actor_id,
                                        trace, state, why, due_at)
                SELECT :source, :epoch, seq, account_id, reason, 'comment.posted', topic_id, comment_id, coalesce(parent_id, 0),
                       coalesce(actor_id, 0), coalesce(trace, ''), CASE WHEN wanted THEN 'queued' ELSE 'skipped' END,
                       CASE WHEN wanted THEN '' ELSE 'not wanted' END, now()
                  FROM told LEFT JOIN choices c USING (account_id, reason),
                       LATERAL (SELECT coalesce(NOT (c.never OR c.stopped), true) AS wanted) w
                 ORDER BY seq, account_id
                ON CONFLICT DO NOTHING)
SELECT count(*) AS moved FROM moved;

-- Deleted or hidden: there is nothing left to read where the inbox leads. Restored: there is again.
-- name: comment_gone_or_back
WITH moved AS (UPDATE cursors SET seq = :seq::bigint
                WHERE consumer = :consumer::text AND source = :source::text AND epoch = :epoch::bigint AND seq = :seq - 1
               RETURNING 1),
     told AS (UPDATE deliveries SET gone = :type::text <> 'comment.restored'
               WHERE comment_id = :comment_id::bigint AND comment_id <> 0 AND EXISTS (SELECT FROM moved))
SELECT count(*) AS moved FROM moved;

-- name: topic_created
WITH moved AS (UPDATE cursors SET seq = :seq::bigint
                WHERE consumer = :consumer::text AND source = :source::text AND epoch = :epoch::bigint AND seq = :seq - 1
               RETURNING 1),
     following AS (INSERT INTO follows (topic_id, account_id, level) SELECT :topic_id::bigint, :proposer_id::bigint, 'replies' FROM moved
                   ON CONFLICT DO NOTHING)
SELECT count(*) AS moved FROM moved;

-- A step of a topic's life: the proposer always, followers when there is a date, a video or an end. Who followed
-- what was merged follows where it went, at the same level, unless they have one there. Of who muted it both
-- topics stay muted: mails about the one may still wait.
-- name: topic_transitioned
WITH moved AS (UPDATE cursors SET seq = :seq::bigint
                WHERE consumer = :consumer::text AND source = :source::text AND epoch = :epoch::bigint AND seq = :seq - 1
               RETURNING 1),
     concerned AS (SELECT :proposer_id::bigint AS account_id WHERE :proposer_id IS NOT NULL
                    AND :to_state::text IN ('open', 'shortlisted', 'scheduled', 'published', 'declined', 'cancelled', 'merged')
                   UNION SELECT account_id FROM follows WHERE topic_id = :topic_id::bigint
                    AND :to_state IN ('scheduled', 'published', 'declined', 'cancelled', 'merged')),
     told AS (SELECT account_id FROM concerned c WHERE account_id IS DISTINCT FROM :actor_id::bigint
                 AND NOT EXISTS (SELECT FROM follows f WHERE f.topic_id = :topic_id AND f.account_id = c.account_id AND f.level = 'mute')),
     queued AS (INSERT INTO deliveries (source, epoch, seq, account_id, reason, type, topic_id, actor_id, to_state, trace, state, why, due_at)
                SELECT :source, :epoch, :seq, told.account_id, 'state', :type::text, :topic_id, coalesce(:actor_id, 0), :to_state,
                       coalesce(:trace::text, ''), CASE WHEN wanted THEN 'queued' ELSE 'skipped' END,
                       CASE WHEN wanted THEN '' ELSE 'not wanted' END, now()
                  FROM moved, told LEFT JOIN choices c ON c.account_id = told.account_id AND c.reason = 'state',
                       LATERAL (SELECT coalesce(NOT (c.never OR c.stopped), true) AS wanted) w
                ON CONFLICT DO NOTHING),
     left_here AS (DELETE FROM follows WHERE topic_id = :topic_id AND :to_state = 'merged' AND level <> 'mute' AND EXISTS (SELECT FROM moved)),
     following AS (INSERT INTO follows (topic_id, account_id, level, chosen, at)
                   SELECT :target_id::bigint, account_id, level, chosen, at FROM follows, moved
                    WHERE topic_id = :topic_id AND :to_state = 'merged'
                   ON CONFLICT DO NOTHING)
SELECT count(*) AS moved FROM moved;

-- Verification, reset, security: at once, whatever was chosen.
-- name: account_mail_wanted
WITH moved AS (UPDATE cursors SET seq = :seq::bigint
                WHERE consumer = :consumer::text AND source = :source::text AND epoch = :epoch::bigint AND seq = :seq - 1
               RETURNING 1),
     queued AS (INSERT INTO deliveries (source, epoch, seq, account_id, reason, type, mail_id, to_state, trace, read_at, state, due_at)
                SELECT :source, :epoch, :seq, :target_id::bigint, 'account', :type::text, :aggregate_id::bigint, :to_state::text,
                       coalesce(:trace::text, ''), now(), 'queued', now() FROM moved
                ON CONFLICT DO NOTHING)
SELECT count(*) AS moved FROM moved;

-- Nothing more is told to them; the mails that wait go, too. What others were told of them names nobody any more.
-- name: account_erased
WITH moved AS (UPDATE cursors SET seq = :seq::bigint
                WHERE consumer = :consumer::text AND source = :source::text AND epoch = :epoch::bigint AND seq = :seq - 1
               RETURNING 1),
     gone AS (DELETE FROM deliveries WHERE account_id = :aggregate_id::bigint AND EXISTS (SELECT FROM moved)),
     unfollowed AS (DELETE FROM follows WHERE account_id = :aggregate_id AND EXISTS (SELECT FROM moved)),
     unpreferred AS (DELETE FROM preferences WHERE account_id = :aggregate_id AND EXISTS (SELECT FROM moved)),
     unbounced AS (DELETE FROM bounces WHERE account_id = :aggregate_id AND EXISTS (SELECT FROM moved))
SELECT count(*) AS moved FROM moved;

-- One that was being sent when its sender died goes back to the queue, unless all but the final dot
-- had been sent: then nobody knows, and it waits before it is sent again; not for ever, as each time may
-- be a copy. Nor is one tried for ever whose senders die.
-- name: take_back
UPDATE deliveries d SET state = w.state, why = w.why, lease_until = NULL, unknowns = unknowns + (data_sent_at IS NOT NULL)::int,
       due_at = CASE WHEN data_sent_at IS NULL THEN now() ELSE data_sent_at + :unknown_ms::bigint * interval '1 millisecond' END
  FROM (SELECT id, CASE WHEN data_sent_at IS NULL AND attempt < :tries::int THEN 'queued'
                        WHEN data_sent_at IS NOT NULL AND unknowns + 1 < :copies::int THEN 'unknown' ELSE 'failed' END AS state,
               CASE WHEN data_sent_at IS NULL THEN 'its sender did not finish' ELSE 'the connection ended after the final dot' END AS why
          FROM deliveries WHERE state = 'sending' AND lease_until < now()
         ORDER BY lease_until LIMIT 100 FOR UPDATE SKIP LOCKED) w
 WHERE d.id = w.id
RETURNING d.id, d.state, d.why, d.attempt, d.trace;

-- Takes mails of one stream that are due; the first try of what is not urgent waits for the delay, so that edits and
-- deletions count, and what somebody stopped meanwhile is not wanted. While the server takes nothing there is nothing to take; afterwards one mail asks for all of them.
-- name: claim
WITH due AS (SELECT id FROM deliveries
              WHERE (reason = 'account') = :account::boolean AND state IN ('queued', 'deferred', 'unknown') AND due_at <= now()
                AND (state <> 'queued' OR reason = 'account' OR due_at <= now() - :delay_ms::bigint * interval '1 millisecond')
                AND (state <> 'unknown' OR NOT :hold::boolean)
                AND NOT EXISTS (SELECT FROM server_pause WHERE until > now())
              ORDER BY due_at LIMIT CASE WHEN EXISTS (SELECT FROM server_pause) THEN 1 ELSE :limit::bigint END
                FOR UPDATE SKIP LOCKED)
UPDATE deliveries d SET state = 'sending', worker = :worker::text, attempt = attempt + 1, data_sent_at = NULL,
       lease_until = now() + :lease_ms::bigint * interval '1 millisecond'
  FROM due WHERE d.id = due.id
RETURNING d.id, d.account_id, d.reason, d.type, d.topic_id, d.comment_id, d.parent_id, d.actor_id, d.mail_id, d.to_state,
          d.trace, d.attempt, d.unknowns, d.source, d.epoch, d.seq, d.read_at IS NOT NULL AND d.reason <> 'account' AS read,
          NOT EXISTS (SELECT FROM choices c WHERE c.account_id = d.account_id AND c.reason = d.reason AND (c.never OR c.stopped))
            AND NOT EXISTS (SELECT FROM follows f WHERE f.topic_id = d.topic_id AND f.account_id = d.account_id
                               AND (f.level = 'mute' OR (d.reason = 'follow' AND f.level <> 'all'))) AS wanted;

-- name: renew_leases
UPDATE deliveries SET lease_until = now() + :lease_ms::bigint * interval '1 millisecond'
 WHERE id = ANY (:ids::bigint[]) AND worker = :worker::text AND state = 'sending' AND lease_until > now();

-- Before the final dot: still ours? Then from here on its fate is unknown until the server answers.
-- name: mark_data_sent
UPDATE deliveries SET data_sent_at = now(), message_id = :message_id::text
 WHERE id = :id::bigint AND worker = :worker::text AND state = 'sending' AND lease_until > now()
RETURNING id;

-- name: mark_sent
WITH well AS (DELETE FROM server_pause)
UPDATE deliveries SET state = 'sent', sent_at = now(), lease_until = NULL, why = '' WHERE id = :id::bigint AND worker = :worker::text AND state = 'sending';

-- name: mark_skipped
UPDATE deliveries SET state = 'skipped', why = :why::text, lease_until = NULL WHERE id = :id::bigint AND worker = :worker::text AND state = 'sending';

-- An attempt that never reached the server, because one of our own services was away, does not count.
-- name: mark_failed
WITH well AS (DELETE FROM server_pause WHERE :answered::boolean)
UPDATE deliveries SET state = :state::text, why = :why::text, lease_until = NULL, attempt = attempt - :uncounted::boolean::int,
       unknowns = unknowns + :unknown::boolean::int, due_at = now() + :pause_ms::bigint * interval '1 millisecond'
 WHERE id = :id::bigint AND worker = :worker::text AND state = 'sending';

-- The server takes nothing from us: the mail is as it was, and all wait 1, 2, 4, 8, 15, 15 … minutes, a fifth of it
-- at random. A row for the first who finds out, and only for them.
-- name: mark_turned_away
WITH back AS (UPDATE deliveries SET state = 'deferred', why = :why::text, lease_until = NULL, attempt = attempt - 1, due_at = now()
               WHERE id = :id::bigint AND worker = :worker::text AND state = 'sending')
INSERT INTO server_pause AS p (failures, until) VALUES (1, now() + interval '1 minute')
ON CONFLICT (only_one) DO UPDATE
   SET failures = p.failures + 1,
       until = now() + least(2 ^ least(p.failures, 10), 15) * (1 - random() / 5) * interval '1 minute'
 WHERE p.until <= now()
RETURNING failures, extract(epoch FROM until - now())::bigint AS pause_s;

-- What ended half a year ago: longer than anybody asks why a mail came or leafs through the inbox, and far
-- longer than the week for which an event can come again and find its key here.
-- name: forget_deliveries
DELETE FROM deliveries
 WHERE id IN (SELECT id FROM deliveries
               WHERE state IN ('sent', 'skipped', 'failed') AND at < now() - interval '180 days'
               ORDER BY at LIMIT 1000);

-- name: get_follow
SELECT :topic_id::bigint AS topic_id, (SELECT level FROM follows WHERE topic_id = :topic_id AND account_id = :viewer_id::bigint) AS level,
       coalesce((SELECT chosen FROM follows WHERE topic_id = :topic_id AND account_id = :viewer_id), false) AS chosen,
       (SELECT count(*) FROM follows WHERE topic_id = :topic_id AND level <> 'mute') AS followers;

-- name: put_follow
INSERT INTO follows (topic_id, account_id, level, chosen) VALUES (:topic_id::bigint, :account_id::bigint, :level::text, true)
ON CONFLICT (topic_id, account_id) DO UPDATE SET level = excluded.level, chosen = true, at = now();

-- name: list_inbox
SELECT id, reason, type, topic_id, comment_id, actor_id, at, read_at IS NOT NULL AS read, to_state,
       (SELECT count(*) FROM (SELECT FROM deliveries u WHERE u.account_id = :viewer_id::bigint AND u.read_at IS NULL AND NOT u.gone LIMIT 100) AS few) AS unread
  FROM deliveries
 WHERE account_id = :viewer_id AND reason <> 'account' AND NOT gone AND (:before::bigint IS NULL OR id < :before)
 ORDER BY id DESC LIMIT :limit::bigint;

-- name: mark_read
UPDATE deliveries SET read_at = now()
 WHERE account_id = :viewer_id::bigint AND read_at IS NULL
   AND (:all::boolean OR topic_id = :topic_id::bigint OR id = ANY (:ids::bigint[]));

-- name: get_preferences
SELECT rhythm, local_hour, replies, follows, states FROM preferences WHERE account_id = :viewer_id::bigint;

-- name: put_preferences
INSERT INTO preferences (account_id, rhythm, local_hour, replies, follows, states)
VALUES (:viewer_id::bigint, :rhythm::text, :local_hour::int, :replies::boolean, :follows::boolean, :states::boolean)
ON CONFLICT (account_id) DO UPDATE SET rhythm = excluded.rhythm, local_hour = excluded.local_hour, replies = excluded.replies,
  follows = excluded.follows, states = excluded.states;

-- What a link in a mail would stop, and has stopped.
-- name: describe_stop
SELECT coalesce((SELECT level = 'mute' FROM follows WHERE topic_id = :topic_id::bigint AND account_id = :account_id::bigint), false) AS topic_stopped,
       coalesce((SELECT rhythm = 'never' FROM preferences WHERE account_id = :account_id), false) AS everything_stopped,
       coalesce((SELECT stopped FROM choices WHERE account_id = :account_id AND reason = :kind::text), false) AS kind_stopped,
       (SELECT kind FROM kinds WHERE reason = :kind) AS mail_kind;

-- name: stop_kind
INSERT INTO preferences (account_id, replies, follows, states)
SELECT :account_id::bigint, kind <> 'replies', kind <> 'follows', kind <> 'states' FROM kinds WHERE reason = :kind::text
ON CONFLICT (account_id) DO UPDATE SET replies = preferences.replies AND excluded.replies,
  follows = preferences.follows AND excluded.follows, states = preferences.states AND excluded.states;

-- name: stop_everything
INSERT INTO preferences (account_id, rhythm) VALUES (:account_id::bigint, 'never')
ON CONFLICT (account_id) DO UPDATE SET rhythm = 'never';

-- name: list_deliveries
SELECT id, reason, type, topic_id, comment_id, state, why, at, sent_at, message_id
  FROM deliveries WHERE account_id = :viewer_id::bigint AND (:before::bigint IS NULL OR id < :before)
 ORDER BY id DESC LIMIT :limit::bigint;
