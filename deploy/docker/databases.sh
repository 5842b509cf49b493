#!/bin/sh
# databases.sh - run once by PostgreSQL's image in a new volume: our settings, four roles, four databases.
set -eu
echo "include = '/causerie/causerie.conf'" >>"$PGDATA/postgresql.conf"
psql -X -q -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -d postgres -v password="$DAEMONS_PASSWORD" -f /causerie/databases.sql
