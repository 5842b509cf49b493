-- How far the service has read the events of others (lib/consumer.h).
CREATE TABLE cursors (
	consumer text NOT NULL,
	source text NOT NULL,
	epoch bigint NOT NULL,
	seq bigint NOT NULL, -- the last event that took effect
	PRIMARY KEY (consumer, source)
);

-- The event being tried, counted before it is: one that kills the daemon is seen when it starts
-- again. Nobody may try it again before a pause that doubles, whichever replica it is.
CREATE TABLE attempts (
	consumer text NOT NULL,
	source text NOT NULL,
	seq bigint NOT NULL,
	tries integer NOT NULL,
	tried_at timestamptz NOT NULL,
	PRIMARY KEY (consumer, source)
);

-- Events that failed every time and were passed over, to be looked at and retried by hand.
CREATE TABLE dead_letters (
	consumer text NOT NULL,
	source text NOT NULL,
	epoch bigint NOT NULL,
	seq bigint NOT NULL,
	type text NOT NULL,
	event bytea NOT NULL, -- packed causerie.Event
	sqlstate text,        -- of the last failure; NULL: it ended the daemon
	parked_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (consumer, source, epoch, seq)
);
