-- with: outbox, consumer, idempotency

-- The statements of comments. A change and its event are one statement.

-- Comments that arrive together (lib/sql_group.h), one row back for each: what stood in the way, and the new
-- comment. `ready` leaves out those with something in the way, so that their key is not used up; an id of NULL
-- with nothing in the way is a repeat. Rows to be changed are locked by id, parents before threads, and keys
-- in their own order, so that the batches of two replicas wait for each other and never both ways.
-- name: post_comments
WITH wanted AS (SELECT * FROM unnest(:topic_id::bigint[], :parent_id::bigint[], :viewer_id::bigint[], :idempotency_key::text[],
                                     :asked::bytea[], :rate::bigint[], :body::text[], :language::text[], :trace::text[])
                WITH ORDINALITY AS w (topic_id, parent_id, author_id, key, asked, rate, body, language, trace, place)),
     parent AS (SELECT id, topic_id, root_id, depth, author_id FROM comments
                 WHERE id = ANY (:parent_id) AND state = 'visible' ORDER BY id FOR NO KEY UPDATE),
     thread AS (SELECT topic_id, proposer_id, open FROM threads
                 WHERE topic_id = ANY (:topic_id) AND (SELECT count(*) FROM parent) >= 0 -- parents first
                 ORDER BY topic_id FOR NO KEY UPDATE),
     recent AS (SELECT author_id, (SELECT count(*) FROM (SELECT FROM comments c WHERE c.author_id = authors.author_id
                                                            AND created_at > now() - interval '1 minute'
                                                          LIMIT rate) AS few) AS n
                  FROM (SELECT DISTINCT author_id, rate FROM wanted) AS authors),
     checked AS (SELECT w.*, thread.proposer_id, thread.topic_id IS NOT NULL AS known, coalesce(thread.open, false) AS open,
                        w.parent_id IS NULL OR parent.id IS NOT NULL AS parent_found,
                        n + row_number() OVER (PARTITION BY w.author_id ORDER BY place) > rate AS too_many,
                        parent.root_id, coalesce(parent.depth + 1, 0) AS depth, coalesce(parent.author_id, 0) AS parent_author_id
                   FROM wanted w JOIN recent USING (author_id) LEFT JOIN thread USING (topic_id)
                        LEFT JOIN parent ON parent.id = w.parent_id AND parent.topic_id = w.topic_id),
     ready AS (SELECT nextval('comments_id_seq') AS id, *
                 FROM (SELECT * FROM checked WHERE open AND parent_found AND NOT too_many ORDER BY author_id, key) AS in_order),
     once AS (INSERT INTO requests (account_id, key, method, result_id, asked)
              SELECT author_id, key, 'PostComment', id, asked FROM ready
              ON CONFLICT DO NOTHING RETURNING result_id AS id),
     made AS (INSERT INTO comments (id, topic_id, parent_id, root_id, depth, author_id, parent_author_id, body, language, state)
              SELECT id, topic_id, parent_id, coalesce(root_id, id), depth, author_id, parent_author_id, body, language, 'visible'
                FROM ready JOIN once USING (id)
              RETURNING *),
     answered AS (UPDATE comments c SET replies = c.replies + n
                    FROM (SELECT parent_id, count(*) AS n FROM made GROUP BY parent_id) AS more WHERE c.id = more.parent_id),
     counted AS (UPDATE threads t SET comments = t.comments + n
                   FROM (SELECT topic_id, count(*) AS n FROM made GROUP BY topic_id) AS more WHERE t.topic_id = more.topic_id),
     announced AS (INSERT INTO outbox (aggregate_type, aggregate_id, aggregate_version, type, trace, payload)
                   SELECT 'comment', id, version, 'comment.posted', trace,
                          jsonb_build_object('comment_id', id, 'topic_id', made.topic_id, 'actor_id', made.author_id,
                                             'parent_id', made.parent_id, 'parent_author_id', made.parent_author_id,
                                             'proposer_id', proposer_id)
                     FROM made JOIN ready USING (id))
SELECT made.*, checked.known, checked.open, checked.parent_found, checked.too_many
  FROM checked LEFT JOIN ready USING (place) LEFT JOIN made ON made.id = ready.id
 ORDER BY place;

-- name: put_thread
INSERT INTO threads (topic_id, proposer_id, state, seen_by, open, seen)
VALUES (:topic_id::bigint, :proposer_id::bigint, :state::text, :seen_by::text, :open::boolean, :seen::bigint)
ON CONFLICT (topic_id) DO UPDATE SET state = excluded.state, seen_by = excluded.seen_by, open = excluded.open, seen = excluded.seen
  WHERE threads.seen < excluded.seen;

-- A comment as a viewer finds it, whatever its state; rights and tombstones are the caller's. It is as private
-- as its topic, but for moderators: what was posted while the topic was open is theirs to moderate.
-- name: get_comment
SELECT c.*, t.open FROM comments c JOIN threads t USING (topic_id)
 WHERE c.id = :id::bigint
   AND (t.seen_by = 'everybody' OR t.proposer_id = :viewer_id::bigint
        OR (t.seen_by = 'organizers' AND :is_moderator::boolean));

-- In thread order after a position. Gone without an answer is gone; with one it keeps its place.
-- name: list_comments
SELECT c.id, c.topic_id, c.parent_id, c.root_id, c.depth, c.author_id, c.parent_author_id, c.body, c.language, c.state,
       c.created_at, c.edited_at, c.version, c.replies, c.moderation_reason
  FROM comments c
 WHERE c.topic_id = :topic_id::bigint AND (c.root_id, c.id) > (:after_root::bigint, :after_id::bigint)
   AND (c.state = 'visible' OR c.replies > 0
        OR (c.state IN ('pending', 'hidden') AND (c.author_id = :viewer_id::bigint OR :is_moderator::boolean)))
 ORDER BY c.root_id, c.id LIMIT :limit::bigint;

-- As get_comment says; where there is no comment, moderators have nothing to see.
-- name: get_thread
SELECT comments AS total, open,
       coalesce(seen_by = 'everybody' OR proposer_id = :viewer_id::bigint
                OR (seen_by = 'organizers' AND :is_moderator::boolean
                    AND EXISTS (SELECT FROM comments c WHERE c.topic_id = t.topic_id)), false) AS seen
  FROM threads t WHERE topic_id = :topic_id::bigint;

-- Where the page that shows a comment begins: with its root, or with itself in a root longer than a page.
-- name: locate_comment
SELECT c.root_id, c.id,
       (SELECT count(*) FROM (SELECT FROM comments o WHERE o.topic_id = c.topic_id AND (o.root_id, o.id) <= (c.root_id, c.id)
                               LIMIT :limit::bigint + 1) AS before) <= :limit AS near,
       (SELECT count(*) FROM comments o WHERE o.topic_id = c.topic_id AND o.root_id = c.root_id AND o.id <= c.id)
         > :limit AS far
  FROM comments c WHERE c.id = :around_id::bigint AND c.topic_id = :topic_id::bigint;

-- An edit of the first quarter of an hour is silent, unless a moderator makes it.
-- name: edit_comment
WITH old AS (SELECT * FROM comments WHERE id = :id::bigint FOR UPDATE),
     made AS (UPDATE comments c SET version = c.version + 1, body = :body::text,
                     edited_at = CASE WHEN old.author_id = :viewer_id::bigint AND old.created_at > now() - interval '15 minutes'
                                      THEN c.edited_at ELSE now() END
                FROM old WHERE c.id = old.id AND c.version = :version::bigint AND c.state IN ('visible', 'pending')
              RETURNING c.*),
     kept AS (INSERT INTO revisions (comment_id, version, body, editor_id, at)
              SELECT old.id, old.version, old.body, old.author_id, coalesce(old.edited_at, old.created_at)
                FROM old JOIN made USING (id)),
     announced AS (INSERT INTO outbox (aggregate_type, aggregate_id, aggregate_version, type, trace, payload)
                   SELECT 'comment', id, version, 'comment.edited', :trace::text,
                          jsonb_build_object('comment_id', id, 'topic_id', topic_id, 'actor_id', :viewer_id,
                                             'parent_id', parent_id, 'parent_author_id', parent_author_id)
                     FROM made)
SELECT id FROM made;

-- A tombstone that loses its last answer goes with it, and so on up to the root.
-- name: delete_comment
WITH RECURSIVE old AS (SELECT * FROM comments WHERE id = :id::bigint AND state IN ('visible', 'pending') FOR UPDATE),
     made AS (UPDATE comments c SET version = c.version + 1, state = 'deleted' FROM old WHERE c.id = old.id
              RETURNING c.*, old.state AS was),
     left_alone AS (SELECT parent_id AS id FROM made WHERE replies = 0
                    UNION ALL
                    SELECT c.parent_id FROM left_alone JOIN comments c USING (id)
                     WHERE c.replies = 1 AND c.state NOT IN ('visible', 'pending', 'hidden')),
     unanswered AS (UPDATE comments p SET replies = p.replies - 1 FROM left_alone WHERE p.id = left_alone.id),
     counted AS (UPDATE threads t SET comments = t.comments - 1 FROM made WHERE t.topic_id = made.topic_id AND made.was = 'visible'),
     announced AS (INSERT INTO outbox (aggregate_type, aggregate_id, aggregate_version, type, trace, payload)
                   SELECT 'comment', id, version, 'comment.deleted', :trace::text,
                          jsonb_build_object('comment_id', id, 'topic_id', topic_id, 'actor_id', :viewer_id::bigint,
                                             'parent_id', parent_id)
                     FROM made)
SELECT id FROM made;

-- name: list_revisions
SELECT version, body, editor_id, at FROM revisions WHERE comment_id = :id::bigint
UNION ALL
SELECT version, body, author_id, coalesce(edited_at, created_at) FROM comments WHERE id = :id
ORDER BY version LIMIT 500;

-- name: report_comment
INSERT INTO reports (comment_id, account_id, reason)
SELECT c.id, :viewer_id::bigint, :reason::text FROM comments c JOIN threads t USING (topic_id)
 WHERE c.id = :id::bigint AND c.state = 'visible' AND t.seen_by = 'everybody'
ON CONFLICT (comment_id, account_id) DO UPDATE SET reason = excluded.reason, resolved_at = NULL;

-- :from are the states it may be done from; the log line is written whether or not the state changes.
-- name: moderate_comment
WITH old AS (SELECT * FROM comments WHERE id = :id::bigint AND state = ANY (:from::text[]) FOR UPDATE),
     made AS (UPDATE comments c SET version = c.version + 1, state = :to::text, moderation_reason = :reason::text
                FROM old WHERE c.id = old.id AND old.state <> :to
              RETURNING c.*, old.state AS was),
     settled AS (UPDATE reports r SET resolved_at = now() FROM old WHERE r.comment_id = old.id AND r.resolved_at IS NULL),
     logged AS (INSERT INTO moderation_log (comment_id, moderator_id, action, reason)
                SELECT id, :viewer_id::bigint, :action::text, :reason FROM old),
     counted AS (UPDATE threads t SET comments = t.comments + CASE WHEN made.state = 'visible' THEN 1 ELSE -1 END
                   FROM made WHERE t.topic_id = made.topic_id AND (made.was = 'visible') <> (made.state = 'visible')),
     announced AS (INSERT INTO outbox (aggregate_type, aggregate_id, aggregate_version, type, trace, payload)
                   SELECT 'comment', made.id, made.version,
                          CASE WHEN made.state <> 'visible' THEN 'comment.hidden'
                               WHEN made.was = 'pending' THEN 'comment.posted' ELSE 'comment.restored' END, :trace::text,
                          jsonb_build_object('comment_id', made.id, 'topic_id', made.topic_id,
                                             'actor_id', CASE WHEN made.was = 'pending' THEN made.author_id ELSE :viewer_id END,
                                             'parent_id', made.parent_id, 'parent_author_id', made.parent_author_id,
                                             'proposer_id', t.proposer_id)
                     FROM made JOIN threads t USING (topic_id)
                    WHERE (made.was = 'visible') <> (made.state = 'visible'))
SELECT id FROM old;

-- name: list_moderation
SELECT c.*, (SELECT count(*) FROM reports r WHERE r.comment_id = c.id AND r.resolved_at IS NULL) AS reports,
       (SELECT array_agg(reason) FROM (SELECT reason FROM reports r WHERE r.comment_id = c.id AND r.resolved_at IS NULL
                                        ORDER BY r.at DESC LIMIT 20) AS few) AS reasons
  FROM comments c
 WHERE c.id > :after_id::bigint
   AND (c.state = 'pending' OR (c.state = 'visible' AND EXISTS (SELECT FROM reports r WHERE r.comment_id = c.id AND r.resolved_at IS NULL)))
 ORDER BY c.id LIMIT :limit::bigint;

-- Those asked for, whatever their state, or the next visible ones.
-- name: list_documents
SELECT id, topic_id, author_id, CASE WHEN state = 'visible' THEN body ELSE '' END AS body, created_at, version,
       state = 'visible' AS visible
  FROM comments
 WHERE id = ANY (CASE WHEN cardinality(:ids::bigint[]) > 0 THEN :ids
                      ELSE ARRAY (SELECT id FROM comments
                                   WHERE id > :after_id::bigint AND state = 'visible'
                                     AND (:topic_id::bigint IS NULL OR topic_id = :topic_id)
                                   ORDER BY id LIMIT :limit::bigint) END)
 ORDER BY id LIMIT :limit;

-- name: stream_position
SELECT epoch, last AS seq FROM outbox_head;

-- topics told us. The cursor moves in the same statement (lib/consumer.h).
-- name: follow_topic
WITH moved AS (UPDATE cursors SET seq = :seq::bigint
                WHERE consumer = :consumer::text AND source = :source::text AND epoch = :epoch::bigint AND seq = :seq - 1
               RETURNING 1),
     thread AS (INSERT INTO threads (topic_id, proposer_id, state, seen_by, open, seen)
                SELECT :topic_id::bigint, :proposer_id::bigint, :to_state::text, nullif(:seen_by::text, ''),
                       :to_state IN ('open', 'shortlisted', 'scheduled', 'recorded', 'published', 'cancelled', 'not_aired'),
                       :aggregate_version::bigint FROM moved
                ON CONFLICT (topic_id) DO UPDATE SET state = excluded.state, seen_by = excluded.seen_by, open = excluded.open,
                         seen = excluded.seen
                  WHERE threads.seen < excluded.seen)
SELECT count(*) AS moved FROM moved;

-- A merged topic's comments go to where it went; whoever counts or reads them hears of it from here, in
-- order with what happened to them before and after.
-- name: merge_thread
WITH moved AS (UPDATE cursors SET seq = :seq::bigint
                WHERE consumer = :consumer::text AND source = :source::text AND epoch = :epoch::bigint AND seq = :seq - 1
               RETURNING 1),
     target AS (SELECT topic_id FROM threads, moved WHERE topic_id = :target_id::bigint FOR UPDATE),
     old AS (SELECT threads.topic_id, threads.comments FROM threads, target WHERE threads.topic_id = :topic_id::bigint FOR UPDATE),
     gone AS (UPDATE comments c SET topic_id = target.topic_id FROM target WHERE c.topic_id = :topic_id),
     counted AS (UPDATE threads t SET comments = CASE WHEN t.topic_id = :topic_id THEN 0 ELSE t.comments + old.comments END,
                        open = t.open AND t.topic_id <> :topic_id,
                        state = CASE WHEN t.topic_id = :topic_id THEN 'merged' ELSE t.state END
                   FROM old WHERE t.topic_id IN (:topic_id, :target_id)),
     announced AS (INSERT INTO outbox (aggregate_type, aggregate_id, aggregate_version, type, trace, payload)
                   SELECT 'thread', topic_id, :aggregate_version::bigint, 'thread.merged', :trace::text,
                          jsonb_build_object('topic_id', topic_id, 'target_id', :target_id) FROM old)
SELECT count(*) AS moved FROM moved;

-- An erased member's comments stay, without a name, and those who answered them answer nobody; whoever still knows it
-- hears that from here on nobody does.
-- name: forget_account
WITH moved AS (UPDATE cursors SET seq = :seq::bigint
                WHERE consumer = :consumer::text AND source = :source::text AND epoch = :epoch::bigint AND seq = :seq - 1
               RETURNING 1),
     roots AS (SELECT DISTINCT topic_id, root_id FROM comments, moved WHERE author_id = :aggregate_id::bigint),
     unnamed AS (UPDATE comments c SET author_id = CASE author_id WHEN :aggregate_id THEN 0 ELSE author_id END,
                        parent_author_id = CASE parent_author_id WHEN :aggregate_id THEN 0 ELSE parent_author_id END
                   FROM roots r WHERE c.topic_id = r.topic_id AND c.root_id = r.root_id AND :aggregate_id IN (author_id, parent_author_id)),
     unreported AS (DELETE FROM reports WHERE account_id = :aggregate_id AND EXISTS (SELECT FROM moved)),
     unedited AS (UPDATE revisions SET editor_id = 0 WHERE editor_id = :aggregate_id AND EXISTS (SELECT FROM moved)),
     announced AS (INSERT INTO outbox (aggregate_type, aggregate_id, aggregate_version, type, trace)
                   SELECT 'account', :aggregate_id, :aggregate_version::bigint, 'account.forgotten', :trace::text FROM moved
                   ON CONFLICT DO NOTHING)
SELECT count(*) AS moved FROM moved;

-- An erased member who wanted their comments gone: no text of theirs is left. As after delete_comment those that
-- somebody's comment still hangs on keep their place: what is alive stands, and what it answers.
-- name: erase_comments
WITH RECURSIVE
     moved AS (UPDATE cursors SET seq = :seq::bigint
                WHERE consumer = :consumer::text AND source = :source::text AND epoch = :epoch::bigint AND seq = :seq - 1
               RETURNING 1),
     roots AS (SELECT DISTINCT topic_id, root_id FROM comments, moved WHERE author_id = :aggregate_id::bigint),
     thread AS (SELECT c.id, c.topic_id, c.parent_id, c.author_id = :aggregate_id AS theirs, c.state, c.replies
                  FROM comments c JOIN roots USING (topic_id, root_id)),
     standing AS (SELECT id, parent_id FROM thread WHERE NOT theirs AND state NOT IN ('deleted', 'comment_erased')
                  UNION SELECT t.id, t.parent_id FROM thread t JOIN standing s ON s.parent_id = t.id),
     counted AS (SELECT t.id, t.theirs, t.replies - coalesce(s.n, 0) AS fewer
                   FROM thread t LEFT JOIN (SELECT parent_id AS id, count(*) AS n FROM standing GROUP BY parent_id) s USING (id)),
     made AS (UPDATE comments c SET replies = c.replies - n.fewer,
                     version = c.version + n.theirs::int,
                     author_id = CASE WHEN n.theirs THEN 0 ELSE c.author_id END,
                     parent_author_id = CASE c.parent_author_id WHEN :aggregate_id THEN 0 ELSE c.parent_author_id END,
                     state = CASE WHEN n.theirs THEN 'comment_erased' ELSE c.state END,
                     body = CASE WHEN n.theirs THEN '' ELSE c.body END,
                     moderation_reason = CASE WHEN n.theirs THEN '' ELSE c.moderation_reason END
                FROM counted n WHERE c.id = n.id AND (n.theirs OR n.fewer <> 0 OR c.parent_author_id = :aggregate_id)
              RETURNING c.*, n.theirs),
     gone AS (SELECT made.* FROM made JOIN thread USING (id) WHERE made.theirs AND thread.state = 'visible'),
     forgotten AS (DELETE FROM revisions r USING made WHERE r.comment_id = made.id AND made.theirs),
     unedited AS (UPDATE revisions r SET editor_id = 0 FROM comments c, moved
                   WHERE r.editor_id = :aggregate_id AND c.id = r.comment_id AND c.author_id <> :aggregate_id),
     unreported AS (DELETE FROM reports r USING moved
                     WHERE r.account_id = :aggregate_id OR r.comment_id IN (SELECT id FROM made WHERE theirs)),
     fewer AS (UPDATE threads t SET comments = t.comments - n FROM (SELECT topic_id, count(*) AS n FROM gone GROUP BY topic_id) AS g
                WHERE t.topic_id = g.topic_id),
     announced AS (INSERT INTO outbox (aggregate_type, aggregate_id, aggregate_version, type, trace, payload)
                   SELECT 'comment', id, version, 'comment.deleted', :trace::text,
                          jsonb_build_object('comment_id', id, 'topic_id', topic_id, 'parent_id', parent_id)
                     FROM gone),
     told AS (INSERT INTO outbox (aggregate_type, aggregate_id, aggregate_version, type, trace)
              SELECT 'account', :aggregate_id, :aggregate_version::bigint, 'account.forgotten', :trace FROM moved
              ON CONFLICT DO NOTHING)
SELECT count(*) AS moved FROM moved;
