#!/usr/bin/env bash
# Creates a database and a role for each service, neither of use to the others: for all stages when the data volume is
# new, and for those named where they may be there already.
set -euo pipefail

query() { psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres "$@"; }

[ $# -gt 0 ] || set -- intake triage opd_response notification

for service in "$@"; do
    variable="POSTGRES_${service^^}_PASSWORD"
    # Passed in the environment, because arguments are visible in the list of processes.
    ROLE_PASSWORD=${!variable:?} query --set service="$service" <<'SQL'
\getenv password ROLE_PASSWORD
SELECT NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'service') AS no_role,
       NOT EXISTS (SELECT FROM pg_database WHERE datname = :'service') AS no_database \gset
\if :no_role
CREATE ROLE :"service" LOGIN PASSWORD :'password' NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION;
\endif
\if :no_database
CREATE DATABASE :"service" OWNER :"service";
-- By default PUBLIC may connect to any new database, and create temporary tables in it.
REVOKE ALL ON DATABASE :"service" FROM PUBLIC;
\endif
SQL
done

query <<'SQL'
REVOKE ALL ON DATABASE postgres, template1 FROM PUBLIC;
SQL
