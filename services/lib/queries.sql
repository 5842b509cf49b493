-- The statements of lib's own modules. A service lists the groups it needs in its queries.sql:
-- `-- with: outbox, consumer, idempotency`.

-- group: idempotency

-- name: find_request
SELECT method, result_id, coalesce(asked = :asked::bytea, true) AS same FROM requests
 WHERE account_id = coalesce(:viewer_id::bigint, 0) AND key = :idempotency_key::text;

-- Run by the outbox's housekeeping.
-- name: forget_requests
DELETE FROM requests
 WHERE (account_id, key) IN (SELECT account_id, key FROM requests
                              WHERE created_at < now() - interval '7 days' ORDER BY created_at LIMIT 1000);

-- group: outbox

-- name: outbox_is_waiting
SELECT EXISTS (SELECT FROM outbox WHERE seq IS NULL) AS waiting;

-- One sequencer at a time. The next statement must not be part of this one: its snapshot has to
-- be younger than the lock, or rows that another replica numbered meanwhile are numbered again.
-- name: outbox_lock
SELECT last FROM outbox_head FOR UPDATE;

-- Numbers what has been committed. Dividing by zero takes everything back should the head and
-- the rows ever disagree.
-- name: outbox_number
WITH head AS (SELECT last FROM outbox_head),
     batch AS (SELECT id, row_number() OVER (ORDER BY id) AS n
                 FROM outbox WHERE seq IS NULL ORDER BY id LIMIT 500),
     numbered AS (UPDATE outbox o SET seq = head.last + batch.n, sequenced_at = clock_timestamp()
                    FROM batch, head WHERE o.id = batch.id AND o.seq IS NULL RETURNING 1),
     counts AS (SELECT (SELECT count(*) FROM batch) AS wanted, (SELECT count(*) FROM numbered) AS given)
UPDATE outbox_head h SET last = h.last + given / (wanted = given)::int
  FROM counts WHERE wanted > 0
RETURNING h.epoch, h.last AS head, given;

-- One row at least; seq is NULL when there is nothing after the position.
-- name: outbox_fetch
SELECT h.epoch, h.last AS head, coalesce((SELECT min(seq) FROM outbox), h.last + 1) AS oldest,
       e.seq, e.type, e.aggregate_id, e.aggregate_version, e.created_at AS at, e.trace, p.*,
       ARRAY(SELECT jsonb_array_elements_text(CASE jsonb_typeof(e.payload -> 'mentioned_ids')
                                                WHEN 'array' THEN e.payload -> 'mentioned_ids' END)::bigint)
         AS mentioned_ids
  FROM outbox_head h
  LEFT JOIN LATERAL (SELECT * FROM outbox WHERE seq > :after::bigint AND seq <= h.last
                      ORDER BY seq LIMIT :limit::bigint) e ON true
  LEFT JOIN LATERAL jsonb_to_record(e.payload)
    AS p(actor_id bigint, topic_id bigint, comment_id bigint, parent_id bigint, parent_author_id bigint,
         target_id bigint, from_state text, to_state text, proposer_id bigint, value integer, seen_by text) ON true
 ORDER BY e.seq;

-- name: outbox_note_consumer
INSERT INTO outbox_consumers (consumer, cursor)
SELECT :consumer::text, least(:after::bigint, last) FROM outbox_head
ON CONFLICT (consumer) DO UPDATE SET cursor = excluded.cursor, seen_at = now();

-- Rows older than a week that every consumer has passed. By sequenced_at: a long transaction's row
-- can be a week old when it is first seen.
-- name: outbox_forget
DELETE FROM outbox
 WHERE id IN (SELECT id FROM outbox
               WHERE seq <= coalesce((SELECT min(cursor) FROM outbox_consumers), (SELECT last FROM outbox_head))
                 AND sequenced_at < now() - interval '7 days'
               ORDER BY seq LIMIT 1000);

-- Consumers that hold the log: behind, and not seen for a day.
-- name: outbox_absent
SELECT consumer, h.last - cursor AS behind, extract(epoch FROM now() - seen_at)::bigint AS absent_s
  FROM outbox_consumers, outbox_head h
 WHERE cursor < h.last AND seen_at < now() - interval '1 day'
 ORDER BY consumer LIMIT 20;

-- group: consumer

-- name: cursor_read
SELECT epoch, seq FROM cursors WHERE consumer = :consumer::text AND source = :source::text;

-- name: cursor_begin
INSERT INTO cursors (consumer, source, epoch, seq)
VALUES (:consumer::text, :source::text, :epoch::bigint, :seq::bigint)
ON CONFLICT DO NOTHING;

-- Passes over events that need no effect.
-- name: cursor_move
UPDATE cursors SET seq = :to::bigint
 WHERE consumer = :consumer::text AND source = :source::text AND epoch = :epoch::bigint AND seq = :from::bigint
RETURNING 1 AS moved;

-- Counts an attempt at a batch by its first event. No row: this event was tried before, by us or
-- another replica, and its pause (which doubles, to 15 minutes) is not over.
-- name: attempt_count
INSERT INTO attempts AS a (consumer, source, seq, tries, tried_at)
VALUES (:consumer::text, :source::text, :seq::bigint, 1, now())
ON CONFLICT (consumer, source) DO UPDATE
   SET tries = CASE WHEN a.seq = excluded.seq THEN a.tries + 1 ELSE 1 END, seq = excluded.seq, tried_at = now()
 WHERE a.seq <> excluded.seq
    OR a.tried_at < now() - least(interval '15 minutes',
                                  :pause_ms::bigint * interval '1 ms' * 2 ^ least(greatest(a.tries, 1) - 1, 20))
RETURNING tries;

-- An attempt that failed for a reason that is not the event's.
-- name: attempt_forgive
UPDATE attempts SET tries = greatest(tries - 1, 0), tried_at = '-infinity'
 WHERE consumer = :consumer::text AND source = :source::text AND seq = :seq::bigint;

-- Takes one that an operator wants tried again; whatever becomes of it, it is tried once.
-- name: dead_letter_take
UPDATE dead_letters SET retry = false
 WHERE (consumer, source, epoch, seq) = (SELECT consumer, source, epoch, seq FROM dead_letters
                                          WHERE consumer = :consumer::text AND source = :source::text AND retry
                                          ORDER BY epoch, seq LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING epoch, seq, event;

-- Its effect is made under a cursor of its own, between these two, in one transaction.
-- name: dead_letter_begin
INSERT INTO cursors (consumer, source, epoch, seq)
VALUES (:consumer::text || ' again', :source::text, :epoch::bigint, :seq::bigint - 1);

-- name: dead_letter_end
WITH moved AS (DELETE FROM cursors WHERE consumer = :consumer::text || ' again' AND source = :source::text
                  AND epoch = :epoch::bigint AND seq = :seq::bigint RETURNING 1)
DELETE FROM dead_letters
 WHERE consumer = :consumer AND source = :source AND epoch = :epoch AND seq = :seq AND EXISTS (SELECT FROM moved);

-- name: park_event
WITH moved AS (UPDATE cursors SET seq = :seq::bigint
                WHERE consumer = :consumer::text AND source = :source::text AND epoch = :epoch::bigint
                  AND seq = :seq - 1
                RETURNING 1),
     parked AS (INSERT INTO dead_letters (consumer, source, epoch, seq, type, event, sqlstate)
                SELECT :consumer, :source, :epoch, :seq, :type::text, :event::bytea, :sqlstate::text FROM moved)
SELECT count(*) AS moved FROM moved;
