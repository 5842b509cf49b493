-- What people and organizers said of topics that were merged before this goes over to where they went, as it
-- does with a merge since (queries.sql, carry_over): the target's own word wins.
CREATE TEMPORARY TABLE went ON COMMIT DROP AS
WITH RECURSIVE way AS (SELECT id, target_id FROM topics WHERE state = 'merged'
                       UNION
                       SELECT way.id, t.target_id FROM way JOIN topics t ON t.id = way.target_id WHERE t.state = 'merged')
SELECT way.id, way.target_id FROM way JOIN topics t ON t.id = way.target_id WHERE t.state <> 'merged';

WITH gone AS (DELETE FROM opinions o USING went WHERE o.topic_id = went.id
              RETURNING went.id, target_id, account_id, value, reason, at),
     given AS (INSERT INTO opinions (topic_id, account_id, value, reason, at)
               SELECT DISTINCT ON (target_id, account_id) target_id, account_id, value, reason, at
                 FROM gone ORDER BY target_id, account_id, at DESC
               ON CONFLICT DO NOTHING RETURNING topic_id, account_id, value, reason)
INSERT INTO opinion_log (topic_id, account_id, value, reason)
SELECT id, account_id, NULL, '' FROM gone UNION ALL SELECT topic_id, account_id, value, reason FROM given;

UPDATE topics t SET opinions = n, passionnant = n4, interessant = n3, moyen = n2, sans_interet = n1
  FROM (SELECT w.id, count(o.value) AS n, count(*) FILTER (WHERE value = 4) AS n4, count(*) FILTER (WHERE value = 3) AS n3,
               count(*) FILTER (WHERE value = 2) AS n2, count(*) FILTER (WHERE value = 1) AS n1
          FROM (SELECT id FROM went UNION SELECT target_id FROM went) AS w LEFT JOIN opinions o ON o.topic_id = w.id
         GROUP BY w.id) AS counted
 WHERE t.id = counted.id;

UPDATE participations p SET topic_id = first.target_id
  FROM (SELECT DISTINCT ON (target_id, coalesce(account_id, -p.id)) p.id, target_id
          FROM participations p JOIN went ON went.id = p.topic_id
         WHERE NOT EXISTS (SELECT FROM participations o WHERE o.topic_id = went.target_id AND o.account_id = p.account_id)
         ORDER BY target_id, coalesce(account_id, -p.id), p.id DESC) AS first
 WHERE p.id = first.id;

-- A target may come to have more pins than can be set since; its page shows as many as before.
WITH gone AS (DELETE FROM related_pairs p USING went WHERE went.id IN (p.topic_id, p.other_id)
              RETURNING p.topic_id, p.other_id, p.pairing, p.actor_id, p.at),
     named AS (SELECT coalesce(a.target_id, topic_id) AS one, coalesce(b.target_id, other_id) AS other, pairing, actor_id, at
                 FROM gone LEFT JOIN went a ON a.id = topic_id LEFT JOIN went b ON b.id = other_id),
     paired AS (INSERT INTO related_pairs (topic_id, other_id, pairing, actor_id, at)
                SELECT DISTINCT ON (1, 2) least(one, other), greatest(one, other), pairing, actor_id, at
                  FROM named WHERE one <> other ORDER BY 1, 2, at DESC
                ON CONFLICT DO NOTHING RETURNING topic_id, other_id, pairing, actor_id)
INSERT INTO related_pair_log (topic_id, other_id, pairing, actor_id)
SELECT DISTINCT topic_id, other_id, NULL, actor_id FROM gone UNION ALL SELECT topic_id, other_id, pairing, actor_id FROM paired;

INSERT INTO discussions AS d (topic_id, comments, commented_at)
SELECT target_id, sum(comments), max(commented_at) FROM went JOIN discussions ON topic_id = id GROUP BY target_id
ON CONFLICT (topic_id) DO UPDATE
   SET comments = d.comments + excluded.comments, commented_at = greatest(d.commented_at, excluded.commented_at);
DELETE FROM discussions USING went WHERE topic_id = id;

-- The recommender and the pages that are kept are told.
WITH told AS (UPDATE topics SET version = version + 1 WHERE id IN (SELECT target_id FROM went) RETURNING *)
INSERT INTO outbox (aggregate_type, aggregate_id, aggregate_version, type, payload)
SELECT 'topic', id, version, 'topic.edited',
       jsonb_build_object('topic_id', id, 'proposer_id', proposer_id, 'from_state', state, 'to_state', state, 'seen_by', seen_by)
  FROM told;
