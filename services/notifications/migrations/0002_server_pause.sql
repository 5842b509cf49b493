-- Set while the mail server takes nothing from us: every mail waits for it, and not each for itself.
CREATE TABLE server_pause (
  only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
  failures int NOT NULL,               -- in a row
  until    timestamptz NOT NULL
);
