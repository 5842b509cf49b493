-- Accounts that are no more: their topics stay, and who is told of a topic is not told of them.
CREATE TABLE forgotten_accounts (account_id bigint PRIMARY KEY);
