-- databases.sql - one role and one database per service; run by psql, as often as one likes.
--
--   psql -v services=accounts,topics -f databases.sql      these; without it all four
--   psql -v password=… -f databases.sql                    roles that sign in by password
--
-- Nobody but its role connects to a database (and the superuser). The limits are those a web page
-- can wait for; migrations and the loader of the demo site lift them for their own session.

\if :{?services}
\else
\set services accounts,comments,notifications,topics
\endif

SELECT format('CREATE ROLE %I LOGIN', 'causerie_' || name)
  FROM string_to_table(:'services', ',') AS name
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'causerie_' || name) \gexec

\if :{?password}
SELECT format('ALTER ROLE %I PASSWORD %L', 'causerie_' || name, :'password')
  FROM string_to_table(:'services', ',') AS name \gexec
\endif

SELECT format('ALTER ROLE %I SET %s', 'causerie_' || name, setting)
  FROM string_to_table(:'services', ',') AS name,
       unnest(ARRAY['statement_timeout = ''5s''', 'lock_timeout = ''2s''',
                    'idle_in_transaction_session_timeout = ''10s''']) AS setting \gexec

SELECT format('CREATE DATABASE %I OWNER %I', 'causerie_' || name, 'causerie_' || name)
  FROM string_to_table(:'services', ',') AS name
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'causerie_' || name) \gexec

SELECT format('REVOKE CONNECT, TEMPORARY ON DATABASE %I FROM PUBLIC', 'causerie_' || name)
  FROM string_to_table(:'services', ',') AS name \gexec
