-- Who finds the topic, as topics announced it. NULL: not told yet, and topics is asked.
ALTER TABLE threads ADD COLUMN seen_by text CHECK (seen_by IN ('proposer', 'organizers', 'everybody'));

-- What a state says by itself; topics tells the rest again.
UPDATE threads SET seen_by = CASE state WHEN 'draft' THEN 'proposer' WHEN 'proposed' THEN 'organizers' ELSE 'everybody' END
 WHERE state NOT IN ('withdrawn', 'declined', 'archived');
