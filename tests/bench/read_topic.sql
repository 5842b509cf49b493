-- read_topic.sql - P3's baseline: a topic and its 50 comments, by pgbench.
\set topic random(1, :topics)
SELECT * FROM topics WHERE id = :topic;
SELECT id, topic_id, parent_id, root_id, depth, author_id, parent_author_id, body, language, state, created_at,
       edited_at, version, replies, moderation_reason
  FROM comments WHERE topic_id = :topic AND state = 'visible' ORDER BY root_id, id LIMIT 50;
