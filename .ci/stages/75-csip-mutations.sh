#!/usr/bin/env bash
# SEC-042: 100,000 mutated 2030.5 documents within 60 s, read or refused and nothing else. The everyday test takes fewer.
set -euo pipefail
cd "$(dirname "$0")/../.."
LOADSTONE_TEST_MUTATIONS=100000 timeout 180 node build/csip-server/wire.test.js > "${TMPDIR:-/tmp}/csip-mutations.$$.tap" || { grep -A12 '^ *not ok' "${TMPDIR:-/tmp}/csip-mutations.$$.tap"; rm -f "${TMPDIR:-/tmp}/csip-mutations.$$.tap"; exit 1; }
took=$(sed -nE 's/^ok .*SEC-042 mutated.*time=([0-9]+).*/\1/p' "${TMPDIR:-/tmp}/csip-mutations.$$.tap"); rm -f "${TMPDIR:-/tmp}/csip-mutations.$$.tap"
printf '  100,000 mutated documents in %s ms\n' "$took"
[ -n "$took" ] && [ "$took" -le 60000 ]
