#!/bin/sh
# A database and a user for Garrison's records, and one for the tasks; PostgreSQL runs this at its first start.
set -eu
for name in garrison tasks; do
    psql -v ON_ERROR_STOP=1 -v name="$name" -U "$POSTGRES_USER" -d postgres <<'SQL'
\set file /run/secrets/ :name
\set password `cat :file`
CREATE ROLE :"name" LOGIN PASSWORD :'password';
CREATE DATABASE :"name" OWNER :"name" ENCODING 'UTF8' TEMPLATE template0;
REVOKE ALL ON DATABASE :"name" FROM PUBLIC;
SQL
done
