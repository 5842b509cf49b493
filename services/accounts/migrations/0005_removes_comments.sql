-- Somebody who leaves may take their comments along.
ALTER TABLE accounts ADD COLUMN removes_comments boolean NOT NULL DEFAULT false;
