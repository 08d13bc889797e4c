#!/bin/bash
# REL-001, REL-002: kill -9 during the main job, on the embedded database and on a PostgreSQL of the machine where there is one.
set -u
cd "$(dirname "$0")/../.."
node scripts/build.js || exit 1
node .ci/kill.js || exit 1
. .ci/postgres.sh
if private_postgres "${LOADSTONE_CI_PG_PORT:-54731}"; then
  node .ci/kill.js --db "$PRIVATE_POSTGRES_URL"; failed=$?
  end_private_postgres
  exit $failed
fi
echo "no PostgreSQL on this machine: the kill test ran on the embedded one only" >&2
