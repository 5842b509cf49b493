-- An operator wants a dead letter to be tried again (causerie-<name> --dead-letters retry): its consumer does.
ALTER TABLE dead_letters ADD COLUMN retry boolean NOT NULL DEFAULT false;
