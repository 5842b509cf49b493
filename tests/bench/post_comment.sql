-- post_comment.sql - P4's baseline: comment, outbox row and counter as one statement, by pgbench.
\set topic random(1, :topics)
\set author random(1, 2000)
WITH made AS (INSERT INTO comments (topic_id, root_id, author_id, body, language, state)
              VALUES (:topic, 0, :author, repeat('On croit souvent que tout est dit. ', 14), 'fr', 'visible')
              RETURNING id, topic_id, author_id, version),
     counted AS (UPDATE threads t SET comments = t.comments + 1 FROM made WHERE t.topic_id = made.topic_id)
INSERT INTO outbox (aggregate_type, aggregate_id, aggregate_version, type, trace, payload)
SELECT 'comment', id, version, 'comment.posted', '0123456789abcdef',
       jsonb_build_object('comment_id', id, 'topic_id', topic_id, 'actor_id', author_id)
  FROM made;
