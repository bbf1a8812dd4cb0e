#!/usr/bin/env bash
# Runs once, on an empty data volume: one database and one role per service, without access to the others.
set -euo pipefail

query() { psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres "$@"; }

for service in intake triage opd_response notification; do
    variable="POSTGRES_${service^^}_PASSWORD"
    # Passed in the environment: arguments are visible in the list of processes.
    ROLE_PASSWORD=${!variable:?} query --set service="$service" <<'SQL'
\getenv password ROLE_PASSWORD
CREATE ROLE :"service" LOGIN PASSWORD :'password' NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION;
CREATE DATABASE :"service" OWNER :"service";
-- By default PUBLIC may connect to any new database, and create temporary tables in it.
REVOKE ALL ON DATABASE :"service" FROM PUBLIC;
SQL
done

query <<'SQL'
REVOKE ALL ON DATABASE postgres, template1 FROM PUBLIC;
SQL
