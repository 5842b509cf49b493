-- Whose account was erased. Their number stays on the topics that others know; nobody stands behind it any more.
CREATE TABLE erased_accounts (
  account_id bigint PRIMARY KEY,
  at         timestamptz NOT NULL DEFAULT now()
);
