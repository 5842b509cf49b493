-- An account that is about to be erased: its mail has a link of its own, and whoever erases finds it by when.
ALTER TABLE mails DROP CONSTRAINT mails_purpose_check;
ALTER TABLE mails ADD CONSTRAINT mails_purpose_check
  CHECK (purpose IN ('verify_address', 'reset_password', 'already_registered', 'password_changed', 'account_closing'));
CREATE INDEX accounts_closing ON accounts (closing_at) WHERE state = 'closing';
