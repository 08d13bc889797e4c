#!/bin/bash
# REL-001, REL-002: kill -9 during the main job on a PostgreSQL of the machine's own; `npm test` does the same on the embedded one.
set -u
cd "$(dirname "$0")/../.."
node scripts/build.js || exit 1
. .ci/postgres.sh
private_postgres "${LOADSTONE_CI_PG_PORT:-54731}" || { echo 'no PostgreSQL on this machine' >&2; exit 1; }
node build/cli/story/kill/run.js --db "$PRIVATE_POSTGRES_URL"; failed=$?
end_private_postgres
exit $failed
