-- with: outbox, consumer, idempotency

-- The statements of topics. A change, its version, its log line and its event are one statement.
--
-- Writes that make something new begin with `once`: the idempotency key and the id of
-- what it made are stored together; a repeat makes nothing and find_request answers it.

-- The counts are one pass over the topics, not one for each term.
-- name: list_terms
WITH shown AS (SELECT format, treatment, expertises FROM topics
                WHERE seen_by = 'everybody'
                  AND state IN ('open', 'shortlisted', 'scheduled', 'recorded', 'published', 'archived')),
     counts AS (SELECT 'format' AS kind, format AS slug, count(*) AS n FROM shown GROUP BY format
                UNION ALL
                SELECT 'treatment', treatment, count(*) FROM shown GROUP BY treatment
                UNION ALL
                SELECT 'expertise', slug, count(*) FROM shown, unnest(expertises) AS slug GROUP BY slug)
SELECT t.kind, t.slug, t.label_fr, t.label_en, coalesce(c.n, 0) AS topics
  FROM terms t LEFT JOIN counts c USING (kind, slug) ORDER BY t.kind, t.position, t.label_fr;

-- Resolves what was typed (a slug, a label, a synonym; folded) to expertise slugs.
-- name: resolve_expertises
SELECT w.word, t.slug, concat_ws(' ', t.label_fr, t.label_en, array_to_string(t.synonyms, ' ')) AS words
  FROM unnest(:words::text[]) AS w(word)
  LEFT JOIN terms t ON t.kind = 'expertise'
   AND (t.slug = w.word OR w.word = ANY (t.synonyms)
        OR lower(unaccent(t.label_fr)) = w.word OR lower(unaccent(t.label_en)) = w.word);

-- name: known_format
SELECT EXISTS (SELECT FROM terms WHERE kind = 'format' AND slug = :format::text) AS format,
       EXISTS (SELECT FROM terms WHERE kind = 'treatment' AND slug = :treatment::text) AS treatment;

-- name: get_topic
SELECT t.id, t.version, t.state, t.seen_by, t.proposer_id, t.title, t.slug, t.lead, t.article, t.language, t.format, t.treatment,
       t.expertises, t.place, t.public_reason, t.sponsor, t.target_id, t.created_at, t.updated_at, t.opened_at,
       t.opinions, t.passionnant, t.interessant, t.moyen, t.sans_interet, coalesce(d.comments, 0) AS comments,
       o.value AS own_opinion, o.reason AS own_reason,
       r.place_name, r.address, r.address_private, r.access, r.online_url, r.starts_at, r.ends_at, r.time_zone,
       r.set_capacity, r.audience_capacity,
       v.url, v.duration_seconds, v.transcript, v.captions_url, v.no_captions_reason,
       (SELECT h.at FROM topic_transitions h WHERE h.topic_id = t.id AND h.to_state IN ('proposed', 'open')
         ORDER BY h.version LIMIT 1) AS proposed_at,
       EXISTS (SELECT FROM participations p WHERE p.topic_id = t.id AND p.account_id = :viewer_id::bigint
                AND p.state IN ('confirmed', 'took_part')) AS on_panel
  FROM topics t
  LEFT JOIN discussions d ON d.topic_id = t.id
  LEFT JOIN recordings r ON r.topic_id = t.id
  LEFT JOIN videos v ON v.topic_id = t.id
  LEFT JOIN opinions o ON o.topic_id = t.id AND o.account_id = :viewer_id::bigint
 WHERE t.id = :id::bigint;

-- name: list_chapters
SELECT at_seconds, title FROM chapters WHERE topic_id = :id::bigint ORDER BY at_seconds LIMIT 100;

-- name: get_summaries
SELECT t.id, t.title, t.slug, t.lead, t.state, t.seen_by, t.proposer_id, t.language, t.format, t.treatment, t.expertises,
       t.created_at, t.opened_at, t.version, t.opinions, coalesce(d.comments, 0) AS comments, t.target_id, r.starts_at
  FROM topics t LEFT JOIN recordings r ON r.topic_id = t.id LEFT JOIN discussions d ON d.topic_id = t.id
 WHERE t.id = ANY (:ids::bigint[]);

-- Newest first, from a position on; every filter may be absent.
-- name: list_recent
SELECT t.id, t.title, t.slug, t.lead, t.state, t.proposer_id, t.language, t.format, t.treatment, t.expertises,
       t.created_at, t.opened_at, t.version, t.opinions, coalesce(d.comments, 0) AS comments, t.target_id, r.starts_at,
       (extract(epoch FROM coalesce(t.opened_at, t.created_at)) * 1000000)::bigint AS sort_key
  FROM topics t LEFT JOIN recordings r ON r.topic_id = t.id LEFT JOIN discussions d ON d.topic_id = t.id
 WHERE t.state = ANY (:states::text[]) AND t.seen_by = ANY (:seen_by::text[])
   AND (:format::text IS NULL OR t.format = :format)
   AND (:expertise::text IS NULL OR t.expertises @> ARRAY[:expertise::text])
   AND (:language::text IS NULL OR t.language = :language)
   AND (:proposer_id::bigint IS NULL OR t.proposer_id = :proposer_id)
   AND (:after_key::bigint IS NULL
        OR ((extract(epoch FROM coalesce(t.opened_at, t.created_at)) * 1000000)::bigint, t.id) < (:after_key, :after_id::bigint))
 ORDER BY coalesce(t.opened_at, t.created_at) DESC, t.id DESC
 LIMIT :limit::bigint;

-- name: list_discussed
SELECT t.id, t.title, t.slug, t.lead, t.state, t.proposer_id, t.language, t.format, t.treatment, t.expertises,
       t.created_at, t.opened_at, t.version, t.opinions, d.comments, t.target_id, r.starts_at,
       (extract(epoch FROM d.commented_at) * 1000000)::bigint AS sort_key
  FROM discussions d JOIN topics t ON t.id = d.topic_id LEFT JOIN recordings r ON r.topic_id = t.id
 WHERE t.state = ANY (:states::text[]) AND t.seen_by = ANY (:seen_by::text[]) AND d.commented_at IS NOT NULL
   AND (:format::text IS NULL OR t.format = :format)
   AND (:expertise::text IS NULL OR t.expertises @> ARRAY[:expertise::text])
   AND (:language::text IS NULL OR t.language = :language)
   AND (:proposer_id::bigint IS NULL OR t.proposer_id = :proposer_id)
   AND (:after_key::bigint IS NULL
        OR ((extract(epoch FROM d.commented_at) * 1000000)::bigint, d.topic_id) < (:after_key, :after_id::bigint))
 ORDER BY d.commented_at DESC, d.topic_id DESC
 LIMIT :limit::bigint;

-- Next recording first.
-- name: list_awaited
SELECT t.id, t.title, t.slug, t.lead, t.state, t.proposer_id, t.language, t.format, t.treatment, t.expertises,
       t.created_at, t.opened_at, t.version, t.opinions, coalesce(d.comments, 0) AS comments, t.target_id, r.starts_at,
       -(extract(epoch FROM r.starts_at) * 1000000)::bigint AS sort_key
  FROM topics t JOIN recordings r ON r.topic_id = t.id LEFT JOIN discussions d ON d.topic_id = t.id
 WHERE t.state = ANY (:states::text[]) AND t.seen_by = ANY (:seen_by::text[]) AND r.starts_at > now()
   AND (:format::text IS NULL OR t.format = :format)
   AND (:expertise::text IS NULL OR t.expertises @> ARRAY[:expertise::text])
   AND (:language::text IS NULL OR t.language = :language)
   AND (:proposer_id::bigint IS NULL OR t.proposer_id = :proposer_id)
   AND (:after_key::bigint IS NULL
        OR (-(extract(epoch FROM r.starts_at) * 1000000)::bigint, t.id) < (:after_key, :after_id::bigint))
 ORDER BY r.starts_at, t.id DESC
 LIMIT :limit::bigint;

-- Proposed longest ago first.
-- name: list_waiting
SELECT t.id, t.title, t.slug, t.lead, t.state, t.proposer_id, t.language, t.format, t.treatment, t.expertises,
       t.created_at, t.opened_at, t.version, t.opinions, coalesce(d.comments, 0) AS comments, t.target_id, r.starts_at,
       -(extract(epoch FROM t.created_at) * 1000000)::bigint AS sort_key
  FROM topics t LEFT JOIN recordings r ON r.topic_id = t.id LEFT JOIN discussions d ON d.topic_id = t.id
 WHERE t.state = ANY (:states::text[])
   AND (:format::text IS NULL OR t.format = :format)
   AND (:expertise::text IS NULL OR t.expertises @> ARRAY[:expertise::text])
   AND (:language::text IS NULL OR t.language = :language)
   AND (:proposer_id::bigint IS NULL OR t.proposer_id = :proposer_id)
   AND (:after_key::bigint IS NULL
        OR (-(extract(epoch FROM t.created_at) * 1000000)::bigint, t.id) < (:after_key, :after_id::bigint))
 ORDER BY t.created_at, t.id DESC
 LIMIT :limit::bigint;

-- By relevance: the rank is rounded so that it can stand in a cursor. Words are marked where any of them stands,
-- in one pass; for all of them, or for a phrase, ts_headline() begins again at each word: half a minute for
-- an article of 20,000 characters that was written for it.
-- name: search_topics
WITH wanted AS (SELECT websearch_to_tsquery('causerie', :query::text) AS q,
                       (SELECT string_agg('''' || replace(replace(word, '\', '\\'), '''', '''''') || '''', ' | ')::tsquery
                          FROM unnest(tsvector_to_array(to_tsvector('causerie', :query))) AS word) AS any_word),
     found AS (SELECT t.*, (ts_rank_cd(t.search, wanted.q, 1) * 1000000)::bigint AS sort_key
                 FROM topics t, wanted
                WHERE t.search @@ wanted.q AND t.state = ANY (:states::text[]) AND t.seen_by = ANY (:seen_by::text[])
                  AND (:format::text IS NULL OR t.format = :format)
                  AND (:expertise::text IS NULL OR t.expertises @> ARRAY[:expertise::text])
                  AND (:language::text IS NULL OR t.language = :language)
                  AND (:proposer_id::bigint IS NULL OR t.proposer_id = :proposer_id)),
     page AS (SELECT * FROM found
               WHERE :after_key::bigint IS NULL OR (sort_key, id) < (:after_key, :after_id::bigint)
               ORDER BY sort_key DESC, id DESC LIMIT :limit::bigint)
SELECT t.id, t.title, t.slug, t.lead, t.state, t.proposer_id, t.language, t.format, t.treatment, t.expertises,
       t.created_at, t.opened_at, t.version, t.opinions, coalesce(d.comments, 0) AS comments, t.target_id, r.starts_at, t.sort_key,
       ts_headline('causerie', t.title, wanted.q, U&'StartSel=\0002, StopSel=\0003, HighlightAll=true') AS headline,
       -- of the article as it reads, without the signs of its Markdown
       ts_headline('causerie', t.lead || ' ' || regexp_replace(regexp_replace(t.article, '\]\([^)]*\)', '', 'g'),
                                                               '(^|\n) *(#+|[-*>]+|[0-9]+[.]) +|[*`[]+', ' ', 'g'),
                   wanted.any_word, U&'StartSel=\0002, StopSel=\0003, MaxWords=40, MinWords=20, MaxFragments=2, FragmentDelimiter=" … "') AS excerpt,
       (SELECT count(*) FROM (SELECT FROM found LIMIT 1000) AS few) AS total
  FROM wanted, page t LEFT JOIN recordings r ON r.topic_id = t.id LEFT JOIN discussions d ON d.topic_id = t.id
 ORDER BY t.sort_key DESC, t.id DESC;

-- name: create_topic
WITH new AS (SELECT nextval(pg_get_serial_sequence('topics', 'id')) AS id),
     once AS (INSERT INTO requests (account_id, key, method, result_id, asked)
              SELECT :viewer_id::bigint, :idempotency_key::text, 'CreateTopic', id, :asked::bytea FROM new
              ON CONFLICT DO NOTHING RETURNING result_id AS id),
     made AS (INSERT INTO topics (id, state, proposer_id, title, slug, lead, article, language, format, treatment,
                                  expertises, expertise_words, place, opened_at)
              SELECT id, :state::text, :viewer_id, :title::text, :slug::text, :lead::text, :article::text, :language::text,
                     :format::text, :treatment::text, :expertises::text[], :expertise_words::text, :place::text,
                     CASE WHEN :state = 'open' THEN now() END
                FROM once RETURNING *),
     kept AS (INSERT INTO topic_versions (topic_id, version, editor_id, title, lead, article, language, format, treatment,
                                          expertises, place)
              SELECT id, version, proposer_id, title, lead, article, language, format, treatment, expertises, place FROM made),
     logged AS (INSERT INTO topic_transitions (topic_id, version, actor_id, from_state, to_state)
                SELECT id, version, proposer_id, '', state FROM made),
     announced AS (INSERT INTO outbox (aggregate_type, aggregate_id, aggregate_version, type, trace, payload)
                   SELECT 'topic', id, version, 'topic.created', :trace::text,
                          jsonb_build_object('topic_id', id, 'actor_id', proposer_id, 'proposer_id', proposer_id,
                                             'to_state', state, 'seen_by', seen_by)
                     FROM made)
SELECT id FROM made;

-- What may follow is decided by the caller on the version it saw; another version means: look again.
-- name: edit_topic
WITH made AS (UPDATE topics SET version = version + 1, updated_at = now(), title = :title::text, slug = :slug::text,
                     lead = :lead::text, article = :article::text, language = :language::text, format = :format::text,
                     treatment = :treatment::text, expertises = :expertises::text[],
                     expertise_words = :expertise_words::text, place = :place::text
               WHERE id = :id::bigint AND version = :version::bigint RETURNING *),
     kept AS (INSERT INTO topic_versions (topic_id, version, editor_id, title, lead, article, language, format, treatment,
                                          expertises, place, reason)
              SELECT id, version, :viewer_id::bigint, title, lead, article, language, format, treatment, expertises, place,
                     :reason::text FROM made),
     announced AS (INSERT INTO outbox (aggregate_type, aggregate_id, aggregate_version, type, trace, payload)
                   SELECT 'topic', id, version, 'topic.edited', :trace::text,
                          jsonb_build_object('topic_id', id, 'actor_id', :viewer_id::bigint, 'proposer_id', proposer_id,
                                             'from_state', state, 'to_state', state, 'seen_by', seen_by)
                     FROM made)
SELECT id FROM made;

-- Before a merge, in its transaction: what is said of either meanwhile waits, and is then said of a merged topic.
-- name: lock_merge
SELECT id FROM topics WHERE id IN (:id::bigint, :target_id::bigint) ORDER BY id FOR UPDATE;

-- Why a topic was declined or cancelled stays its public reason when it is archived; why that was done is in its history.
-- name: transition_topic
WITH before AS (SELECT id, state FROM topics WHERE id = :id::bigint
                   AND (:to::text <> 'merged'
                        OR EXISTS (SELECT FROM topics g WHERE g.id = :target_id::bigint AND g.state <> 'merged' AND g.seen_by = 'everybody'))
                   FOR UPDATE),
     made AS (UPDATE topics t SET version = version + 1, updated_at = now(), state_since = now(), state = :to,
                     opened_at = CASE WHEN :to = 'open' THEN coalesce(opened_at, now()) ELSE opened_at END,
                     public_reason = CASE WHEN :to = 'archived' AND public_reason <> '' THEN public_reason
                                          WHEN :reason_private::boolean THEN '' ELSE :reason::text END,
                     target_id = coalesce(:target_id, target_id)
                FROM before WHERE t.id = before.id AND t.version = :version::bigint
              RETURNING t.*, before.state AS from_state),
     logged AS (INSERT INTO topic_transitions (topic_id, version, actor_id, from_state, to_state, reason, reason_private)
                SELECT id, version, :viewer_id::bigint, from_state, state, :reason, :reason_private FROM made),
     shooting AS (INSERT INTO recordings (topic_id, place_name, address, address_private, access, online_url, starts_at,
                                          ends_at, time_zone, set_capacity, audience_capacity)
                  SELECT id, :place_name::text, :address::text, :address_private::boolean, :access::text, :online_url::text,
                         to_timestamp(:starts_at::bigint / 1000000.0), to_timestamp(:ends_at::bigint / 1000000.0),
                         :time_zone::text, :set_capacity::int, :audience_capacity::int
                    FROM made WHERE :to = 'scheduled'
                  ON CONFLICT (topic_id) DO UPDATE SET place_name = excluded.place_name, address = excluded.address,
                         address_private = excluded.address_private, access = excluded.access,
                         online_url = excluded.online_url, starts_at = excluded.starts_at, ends_at = excluded.ends_at,
                         time_zone = excluded.time_zone, set_capacity = excluded.set_capacity,
                         audience_capacity = excluded.audience_capacity),
     unscheduled AS (DELETE FROM recordings r USING made
                      WHERE r.topic_id = made.id AND made.from_state = 'scheduled' AND :to = 'shortlisted'),
     filmed AS (INSERT INTO videos (topic_id, url, duration_seconds, transcript, captions_url, no_captions_reason)
                SELECT id, :url::text, :duration_seconds::int, :transcript::text, :captions_url::text, :no_captions_reason::text
                  FROM made WHERE :to = 'published'),
     announced AS (INSERT INTO outbox (aggregate_type, aggregate_id, aggregate_version, type, trace, payload)
                   SELECT 'topic', id, version, 'topic.transitioned', :trace::text,
                          jsonb_build_object('topic_id', id, 'actor_id', :viewer_id, 'proposer_id', proposer_id,
                                             'from_state', from_state, 'to_state', state, 'seen_by', seen_by,
                                             'target_id', coalesce(target_id, 0))
                     FROM made)
SELECT id FROM made;

-- After a merge, in its transaction: what people said of the topic goes over to its target, where a member's own
-- opinion and candidacy win. So does what organizers said of the target and another topic; a pin or ban beyond what
-- a topic may have is left out, the oldest first.
-- name: carry_over
WITH merged AS (SELECT id, target_id FROM topics
                 WHERE id = :id::bigint AND version = :version::bigint + 1 AND state = 'merged' AND target_id = :target_id::bigint),
     gone AS (DELETE FROM opinions o USING merged WHERE o.topic_id = merged.id
              RETURNING target_id, account_id, value, reason, at),
     given AS (INSERT INTO opinions (topic_id, account_id, value, reason, at) SELECT target_id, account_id, value, reason, at FROM gone
               ON CONFLICT DO NOTHING RETURNING topic_id, account_id, value, reason),
     opinions_logged AS (INSERT INTO opinion_log (topic_id, account_id, value, reason)
                         SELECT :id, account_id, NULL, '' FROM gone UNION ALL SELECT topic_id, account_id, value, reason FROM given),
     counted AS (UPDATE topics t SET opinions = t.opinions + n, passionnant = t.passionnant + n4, interessant = t.interessant + n3,
                        moyen = t.moyen + n2, sans_interet = t.sans_interet + n1
                   FROM (SELECT topic_id, count(*) AS n, count(*) FILTER (WHERE value = 4) AS n4, count(*) FILTER (WHERE value = 3) AS n3,
                                count(*) FILTER (WHERE value = 2) AS n2, count(*) FILTER (WHERE value = 1) AS n1 FROM given GROUP BY topic_id
                         UNION ALL
                         SELECT id, -opinions, -passionnant, -interessant, -moyen, -sans_interet FROM topics JOIN merged USING (id)) AS more
                  WHERE t.id = more.topic_id),
     candidates AS (UPDATE participations p SET topic_id = merged.target_id FROM merged
                     WHERE p.topic_id = merged.id
                       AND NOT EXISTS (SELECT FROM participations o WHERE o.topic_id = merged.target_id AND o.account_id = p.account_id
                                        AND o.state IN ('submitted', 'in_review', 'reserve', 'invited', 'confirmed', 'took_part'))),
     freed AS (DELETE FROM related_pairs p USING merged WHERE merged.id IN (p.topic_id, p.other_id)
               RETURNING target_id, CASE WHEN p.topic_id = merged.id THEN p.other_id ELSE p.topic_id END AS other_id, pairing, actor_id, at),
     own AS (SELECT CASE WHEN p.topic_id = target_id THEN p.other_id ELSE p.topic_id END AS other_id, pairing
               FROM merged JOIN related_pairs p ON target_id IN (p.topic_id, p.other_id)),
     wanted AS (SELECT f.*, row_number() OVER (PARTITION BY pairing ORDER BY at DESC, other_id)
                            + (SELECT count(*) FROM own WHERE own.pairing = f.pairing AND own.other_id <> :id) AS place
                  FROM freed f WHERE other_id <> target_id AND other_id NOT IN (SELECT other_id FROM own)),
     paired AS (INSERT INTO related_pairs (topic_id, other_id, pairing, actor_id, at)
                SELECT least(target_id, other_id), greatest(target_id, other_id), pairing, actor_id, at FROM wanted
                 WHERE place <= CASE pairing WHEN 'pinned' THEN :most_pinned::bigint ELSE :most_banned::bigint END
                RETURNING topic_id, other_id, pairing),
     pairs_logged AS (INSERT INTO related_pair_log (topic_id, other_id, pairing, actor_id)
                      SELECT least(:id, other_id), greatest(:id, other_id), NULL, :viewer_id::bigint FROM freed
                      UNION ALL SELECT topic_id, other_id, pairing, :viewer_id FROM paired)
SELECT count(*) AS merged FROM merged;

-- name: list_history
SELECT h.at, h.actor_id, nullif(h.from_state, '') AS "from", nullif(h.to_state, '') AS "to", h.version,
       CASE WHEN h.reason_private AND NOT :is_organizer::boolean THEN '' ELSE h.reason END AS reason
  FROM (SELECT topic_id, at, actor_id, from_state, to_state, version, reason, reason_private FROM topic_transitions
        UNION ALL
        SELECT v.topic_id, v.at, v.editor_id, '', '', v.version, v.reason, false FROM topic_versions v
         WHERE v.version > 1) h
 WHERE h.topic_id = :id::bigint ORDER BY h.version, h.at LIMIT 1000;

-- The opinion, its log line, the topic's counters and the event; an unchanged opinion changes nothing.
-- Overtaken: the same member's other opinion came after this statement's snapshot; the counters would
-- be told of a change that was not made, so nothing is and the caller repeats it.
-- name: put_opinion
WITH topic AS (SELECT id FROM topics WHERE id = :topic_id::bigint
                AND state IN ('open', 'shortlisted', 'scheduled', 'recorded', 'published', 'not_aired', 'cancelled')
                FOR UPDATE),
     old AS (SELECT o.value, o.reason FROM opinions o JOIN topic ON topic.id = o.topic_id WHERE o.account_id = :viewer_id::bigint),
     wanted AS (SELECT id FROM topic WHERE NOT EXISTS (SELECT FROM old WHERE value = :value::int AND reason = :reason::text)),
     changed AS (INSERT INTO opinions (topic_id, account_id, value, reason)
                 SELECT id, :viewer_id, :value, :reason FROM wanted
                 ON CONFLICT (topic_id, account_id) DO UPDATE SET value = excluded.value, reason = excluded.reason, at = now()
                   WHERE EXISTS (SELECT FROM old WHERE old.value = opinions.value AND old.reason = opinions.reason)
                 RETURNING topic_id AS id, xmax = 0 AS is_new),
     logged AS (INSERT INTO opinion_log (topic_id, account_id, value, reason)
                SELECT id, :viewer_id, :value, :reason FROM changed),
     counted AS (UPDATE topics t SET
                   opinions     = opinions     + is_new::int,
                   passionnant  = passionnant  + (:value = 4)::int - (NOT is_new AND EXISTS (SELECT FROM old WHERE value = 4))::int,
                   interessant  = interessant  + (:value = 3)::int - (NOT is_new AND EXISTS (SELECT FROM old WHERE value = 3))::int,
                   moyen        = moyen        + (:value = 2)::int - (NOT is_new AND EXISTS (SELECT FROM old WHERE value = 2))::int,
                   sans_interet = sans_interet + (:value = 1)::int - (NOT is_new AND EXISTS (SELECT FROM old WHERE value = 1))::int
                 FROM changed WHERE t.id = changed.id),
     announced AS (INSERT INTO outbox (aggregate_type, aggregate_id, aggregate_version, type, trace, payload)
                   SELECT 'opinion', nextval('opinion_changes'), 1, 'opinion.changed', :trace::text,
                          jsonb_build_object('topic_id', id, 'actor_id', :viewer_id, 'value', :value) FROM changed)
SELECT (SELECT count(*) FROM topic) AS open, (SELECT count(*) FROM changed) AS changed,
       (SELECT count(*) FROM wanted) > (SELECT count(*) FROM changed) AS overtaken;

-- name: delete_opinion
WITH topic AS (SELECT id FROM topics WHERE id = :topic_id::bigint
                AND state IN ('open', 'shortlisted', 'scheduled', 'recorded', 'published', 'not_aired', 'cancelled')
                FOR UPDATE),
     gone AS (DELETE FROM opinions o USING topic WHERE o.topic_id = topic.id AND o.account_id = :viewer_id::bigint
              RETURNING o.topic_id AS id, o.value),
     logged AS (INSERT INTO opinion_log (topic_id, account_id, value) SELECT id, :viewer_id, NULL FROM gone),
     counted AS (UPDATE topics t SET opinions = opinions - 1,
                   passionnant  = passionnant  - (gone.value = 4)::int,
                   interessant  = interessant  - (gone.value = 3)::int,
                   moyen        = moyen        - (gone.value = 2)::int,
                   sans_interet = sans_interet - (gone.value = 1)::int
                 FROM gone WHERE t.id = gone.id),
     announced AS (INSERT INTO outbox (aggregate_type, aggregate_id, aggregate_version, type, trace, payload)
                   SELECT 'opinion', nextval('opinion_changes'), 1, 'opinion.changed', :trace::text,
                          jsonb_build_object('topic_id', id, 'actor_id', :viewer_id, 'value', 0) FROM gone)
SELECT (SELECT count(*) FROM topic) AS open, (SELECT count(*) FROM gone) AS changed, false AS overtaken;

-- name: get_opinions
SELECT t.seen_by, t.proposer_id, t.opinions, t.passionnant, t.interessant, t.moyen, t.sans_interet,
       o.value AS own_opinion, o.reason AS own_reason
  FROM topics t LEFT JOIN opinions o ON o.topic_id = t.id AND o.account_id = :viewer_id::bigint
 WHERE t.id = :topic_id::bigint;

-- The organizer's word, its log line and its event; the same word again changes nothing. Full: one of
-- the two has :most pairs of this kind, or the site :site_most. Organizers at the same moment may exceed
-- them by one each; whoever reads pairs has room for that. Nothing is said of a merged topic: who merges it
-- at this moment holds its row, and it is looked at when that is over.
-- name: pair_topics
WITH there AS (SELECT FROM topics WHERE id IN (:topic_id::bigint, :other_id::bigint) AND state <> 'merged' FOR KEY SHARE),
     pair AS (SELECT least(:topic_id, :other_id) AS topic_id, greatest(:topic_id, :other_id) AS other_id
               WHERE (SELECT count(*) FROM there) = 2),
     "full" AS (SELECT FROM pair, unnest(ARRAY[pair.topic_id, pair.other_id]) AS t(id)
                 WHERE (SELECT count(*) FROM related_pairs p
                         WHERE (p.topic_id = t.id OR p.other_id = t.id) AND p.pairing = :pairing::text
                           AND (p.topic_id, p.other_id) <> (pair.topic_id, pair.other_id)) >= :most::bigint
                UNION ALL
                SELECT FROM (SELECT count(*) AS n FROM related_pairs) AS pairs WHERE n >= :site_most::bigint),
     once AS (INSERT INTO requests (account_id, key, method, result_id, asked)
              SELECT :viewer_id::bigint, :idempotency_key::text, 'PairTopics', topic_id, :asked::bytea FROM pair
               WHERE NOT EXISTS (SELECT FROM "full")
              ON CONFLICT DO NOTHING RETURNING 1),
     said AS (INSERT INTO related_pairs (topic_id, other_id, pairing, actor_id)
              SELECT topic_id, other_id, :pairing, :viewer_id FROM pair WHERE EXISTS (SELECT FROM once)
              ON CONFLICT (topic_id, other_id) DO UPDATE SET pairing = excluded.pairing, actor_id = excluded.actor_id, at = now()
                WHERE related_pairs.pairing <> excluded.pairing
              RETURNING topic_id, other_id, pairing, actor_id),
     logged AS (INSERT INTO related_pair_log (topic_id, other_id, pairing, actor_id) SELECT * FROM said RETURNING *),
     announced AS (INSERT INTO outbox (aggregate_type, aggregate_id, aggregate_version, type, trace, payload)
                   SELECT 'pair', id, 1, 'pair.changed', :trace::text,
                          jsonb_build_object('topic_id', topic_id, 'target_id', other_id, 'actor_id', actor_id,
                                             'to_state', pairing)
                     FROM logged)
SELECT (SELECT count(*) FROM pair) AS possible, (SELECT count(*) FROM once) AS first, (SELECT count(*) FROM "full") AS "full",
       (SELECT count(*) FROM logged) AS changed;

-- name: unpair_topics
WITH pair AS (SELECT least(:topic_id::bigint, :other_id::bigint) AS topic_id, greatest(:topic_id, :other_id) AS other_id),
     once AS (INSERT INTO requests (account_id, key, method, result_id, asked)
              SELECT :viewer_id::bigint, :idempotency_key::text, 'UnpairTopics', topic_id, :asked::bytea FROM pair
              ON CONFLICT DO NOTHING RETURNING 1),
     gone AS (DELETE FROM related_pairs p USING pair
               WHERE p.topic_id = pair.topic_id AND p.other_id = pair.other_id AND EXISTS (SELECT FROM once)
              RETURNING p.topic_id, p.other_id),
     logged AS (INSERT INTO related_pair_log (topic_id, other_id, actor_id) SELECT topic_id, other_id, :viewer_id FROM gone
                RETURNING *),
     announced AS (INSERT INTO outbox (aggregate_type, aggregate_id, aggregate_version, type, trace, payload)
                   SELECT 'pair', id, 1, 'pair.changed', :trace::text,
                          jsonb_build_object('topic_id', topic_id, 'target_id', other_id, 'actor_id', actor_id)
                     FROM logged)
SELECT 1 AS possible, (SELECT count(*) FROM once) AS first, 0 AS "full", (SELECT count(*) FROM logged) AS changed;

-- name: get_pair
SELECT :topic_id::bigint AS topic_id, :other_id::bigint AS other_id, pairing, actor_id, at
  FROM related_pairs WHERE topic_id = least(:topic_id, :other_id) AND other_id = greatest(:topic_id, :other_id);

-- Hidden is the other one that is not visible in list_documents: a pin does not put it back into a list.
-- name: list_pairs
SELECT :id::bigint AS topic_id, o.id AS other_id, p.pairing, p.actor_id, p.at,
       NOT (o.seen_by = 'everybody' AND (o.state IN ('open', 'shortlisted', 'scheduled', 'recorded', 'published')
                                         OR (o.state = 'archived' AND EXISTS (SELECT FROM videos v WHERE v.topic_id = o.id)))) AS hidden
  FROM related_pairs p JOIN topics o ON o.id = CASE WHEN p.topic_id = :id THEN p.other_id ELSE p.topic_id END
 WHERE p.topic_id = :id OR p.other_id = :id ORDER BY p.at DESC, o.id LIMIT 200;

-- Those asked for, or the next ones. Nobody has proposed what an erased member did.
-- What is archived may be recommended if it had a show: a topic that was declined, cancelled or not aired was in no
-- list before, and the shelf does not put it back.
-- name: list_documents
SELECT t.id, t.title, t.slug, t.lead, t.state, t.language, t.format, t.treatment, t.expertises,
       CASE WHEN NOT EXISTS (SELECT FROM erased_accounts e WHERE e.account_id = t.proposer_id) THEN t.proposer_id END AS proposer_id,
       t.created_at, t.opened_at, t.version, t.opinions, coalesce(d.comments, 0) AS comments, t.target_id, t.article,
       t.seen_by = 'everybody' AND (t.state IN ('open', 'shortlisted', 'scheduled', 'recorded', 'published')
                                    OR (t.state = 'archived' AND EXISTS (SELECT FROM videos v WHERE v.topic_id = t.id))) AS visible,
       (SELECT array_agg(account_id ORDER BY at DESC) FROM (SELECT account_id, at FROM opinions o WHERE o.topic_id = t.id
         ORDER BY at DESC LIMIT 2000) AS few) AS opinion_accounts,
       (SELECT array_agg(value ORDER BY at DESC) FROM (SELECT value, at FROM opinions o WHERE o.topic_id = t.id
         ORDER BY at DESC LIMIT 2000) AS few) AS opinion_values,
       pairs.others AS pair_others, pairs.pins AS pair_pins
  FROM topics t LEFT JOIN discussions d ON d.topic_id = t.id
  CROSS JOIN LATERAL (SELECT array_agg(other) AS others, array_agg(pin) AS pins
                        FROM (SELECT CASE WHEN p.topic_id = t.id THEN p.other_id ELSE p.topic_id END AS other,
                                     (p.pairing = 'pinned')::int AS pin
                                FROM related_pairs p WHERE p.topic_id = t.id OR p.other_id = t.id LIMIT 200) AS few) AS pairs
 WHERE t.id = ANY (CASE WHEN cardinality(:ids::bigint[]) > 0 THEN :ids
                        ELSE ARRAY (SELECT id FROM topics WHERE id > :after_id::bigint ORDER BY id LIMIT :limit::bigint) END)
 ORDER BY t.id LIMIT :limit;

-- name: stream_position
SELECT epoch, last AS seq FROM outbox_head;

-- comments told us: so many more, or fewer. The cursor moves in the same statement (lib/consumer.h).
-- name: count_comments
WITH moved AS (UPDATE cursors SET seq = :to::bigint
                WHERE consumer = :consumer::text AND source = :source::text AND epoch = :epoch::bigint AND seq = :from::bigint
               RETURNING 1),
     changed AS (SELECT topic_id, sum(CASE WHEN type IN ('comment.posted', 'comment.restored') THEN 1 ELSE -1 END) AS more,
                        bool_or(type = 'comment.posted') AS posted
                   FROM moved, unnest(:topic_id::bigint[], :type::text[]) AS c (topic_id, type) GROUP BY topic_id),
     counted AS (INSERT INTO discussions AS d
                 SELECT topic_id, greatest(more, 0), CASE WHEN posted THEN now() END
                   FROM changed JOIN topics t ON t.id = topic_id ORDER BY topic_id
                 ON CONFLICT (topic_id) DO UPDATE
                    SET comments = greatest(d.comments + (SELECT more FROM changed c WHERE c.topic_id = d.topic_id), 0),
                        commented_at = coalesce(excluded.commented_at, d.commented_at))
SELECT count(*) AS moved FROM moved;

-- A merged topic's comments count where they went.
-- name: merge_discussions
WITH moved AS (UPDATE cursors SET seq = :seq::bigint
                WHERE consumer = :consumer::text AND source = :source::text AND epoch = :epoch::bigint AND seq = :seq - 1
               RETURNING 1),
     gone AS (DELETE FROM discussions WHERE topic_id = :topic_id::bigint AND EXISTS (SELECT FROM moved)
              RETURNING comments, commented_at),
     counted AS (INSERT INTO discussions AS d (topic_id, comments, commented_at)
                 SELECT t.id, gone.comments, gone.commented_at FROM gone JOIN topics t ON t.id = :target_id::bigint
                 ON CONFLICT (topic_id) DO UPDATE
                    SET comments = d.comments + excluded.comments, commented_at = greatest(d.commented_at, excluded.commented_at))
SELECT count(*) AS moved FROM moved;

-- An erased member's opinions, candidacies, offers, seats and unshown texts go; topics that others know keep their
-- place, without a name (accounts no longer has one).
-- name: forget_account
WITH moved AS (UPDATE cursors SET seq = :seq::bigint
                WHERE consumer = :consumer::text AND source = :source::text AND epoch = :epoch::bigint AND seq = :seq - 1
               RETURNING 1),
     gone AS (DELETE FROM opinions WHERE account_id = :aggregate_id::bigint AND EXISTS (SELECT FROM moved)
              RETURNING topic_id, value),
     log AS (DELETE FROM opinion_log WHERE account_id = :aggregate_id AND EXISTS (SELECT FROM moved)),
     asked AS (DELETE FROM participations WHERE account_id = :aggregate_id AND EXISTS (SELECT FROM moved)),
     offered AS (DELETE FROM sponsorships WHERE account_id = :aggregate_id AND EXISTS (SELECT FROM moved)),
     seated AS (DELETE FROM seats WHERE account_id = :aggregate_id AND EXISTS (SELECT FROM moved)),
     noted AS (INSERT INTO erased_accounts (account_id) SELECT :aggregate_id FROM moved ON CONFLICT DO NOTHING),
     emptied AS (UPDATE topics SET version = version + 1, title = '', slug = '', lead = '', article = '', place = '',
                        expertises = '{}', expertise_words = ''
                  WHERE proposer_id = :aggregate_id AND seen_by = 'proposer' AND EXISTS (SELECT FROM moved)
                 RETURNING *),
     unwritten AS (DELETE FROM topic_versions v USING emptied WHERE v.topic_id = emptied.id),
     counted AS (UPDATE topics t SET opinions = t.opinions - 1,
                   passionnant  = passionnant  - (gone.value = 4)::int,
                   interessant  = interessant  - (gone.value = 3)::int,
                   moyen        = moyen        - (gone.value = 2)::int,
                   sans_interet = sans_interet - (gone.value = 1)::int
                 FROM gone WHERE t.id = gone.topic_id),
     announced AS (INSERT INTO outbox (aggregate_type, aggregate_id, aggregate_version, type, trace, payload)
                   SELECT 'opinion', nextval('opinion_changes'), 1, 'opinion.changed', :trace::text,
                          jsonb_build_object('topic_id', topic_id, 'actor_id', :aggregate_id, 'value', 0) FROM gone
                   UNION ALL
                   SELECT 'topic', id, version, 'topic.edited', :trace,
                          jsonb_build_object('topic_id', id, 'actor_id', :aggregate_id, 'proposer_id', proposer_id,
                                             'from_state', state, 'to_state', state, 'seen_by', seen_by) FROM emptied),
     told AS (INSERT INTO outbox (aggregate_type, aggregate_id, aggregate_version, type, trace)
              SELECT 'account', :aggregate_id, :aggregate_version::bigint, 'account.forgotten', :trace FROM moved
              ON CONFLICT DO NOTHING)
SELECT count(*) AS moved FROM moved;
