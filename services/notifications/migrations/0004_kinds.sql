-- Which of the three boxes of the preferences a mail belongs to, by why it is sent; the one table that the
-- fan-out, the preferences and the link in a mail go by. What has no row here cannot be stopped by kind.
CREATE TABLE kinds (
  reason text PRIMARY KEY,
  kind   text NOT NULL CHECK (kind IN ('replies', 'follows', 'states'))
);
INSERT INTO kinds (reason, kind) VALUES
  ('reply',    'replies'),             -- somebody answered me
  ('mention',  'replies'),
  ('proposer', 'follows'),             -- somebody wrote on a topic that I follow; my own is one
  ('follow',   'follows'),
  ('state',    'states');

-- What somebody said about each reason for a mail; nobody without a row has said anything.
CREATE VIEW choices AS
SELECT p.account_id, k.reason, k.kind, p.rhythm = 'never' AS never,
       NOT CASE k.kind WHEN 'replies' THEN p.replies WHEN 'follows' THEN p.follows ELSE p.states END AS stopped
  FROM preferences p CROSS JOIN kinds k;
