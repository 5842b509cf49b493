-- Archiving took the place of the reason that people were told; the log still has that.
UPDATE topics t SET public_reason = told.reason
  FROM (SELECT DISTINCT ON (topic_id) topic_id, reason FROM topic_transitions
         WHERE to_state IN ('declined', 'cancelled', 'not_aired') AND NOT reason_private AND reason <> ''
         ORDER BY topic_id, version DESC) AS told
 WHERE t.id = told.topic_id AND t.state = 'archived';
