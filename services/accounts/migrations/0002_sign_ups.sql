-- An address that waits to be confirmed may be signed up again, by its owner or by somebody else: each mail
-- carries its own sign-up, and the one whose link is opened comes into force. The first stands in accounts.
CREATE TABLE sign_ups (
  mail_id       bigint PRIMARY KEY REFERENCES mails ON DELETE CASCADE,
  display_name  text NOT NULL,
  name_skeleton text NOT NULL,
  password_hash text NOT NULL,
  language      text NOT NULL,
  time_zone     text NOT NULL
);

-- A name belongs to whoever confirmed an address. What waits takes none, or signing up with a name and then
-- with the same name again would tell whether the first address had an account.
ALTER TABLE accounts DROP CONSTRAINT accounts_name;
CREATE UNIQUE INDEX accounts_name ON accounts (name_skeleton) WHERE state <> 'unverified';

CREATE FUNCTION name_is_taken(skeleton text, by_other_than bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT FROM accounts WHERE name_skeleton = skeleton AND state <> 'unverified'
                    AND id IS DISTINCT FROM by_other_than)
$$;
