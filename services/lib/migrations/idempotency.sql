-- The writes that were made, by the key their caller gave them (lib/idempotency.h says how to use it).
-- account_id is 0 for a visitor. Rows are deleted after a week.
CREATE TABLE requests (
	account_id bigint NOT NULL,
	key text NOT NULL,
	method text NOT NULL,
	result_id bigint NOT NULL, -- of what was made or changed
	created_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (account_id, key)
);

CREATE INDEX requests_created_at ON requests (created_at);
