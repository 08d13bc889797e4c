#!/bin/sh
# One conformance run for a pipeline: SUBJECT, and TARGET, CONFIG or FROM; optional PROFILE, EXPECT, SMOKE, SEED, OUT, LOADSTONE.
# Reports go to OUT (conformance-report). Loadstone is installed and built where it is not yet: that and git are all a pipeline needs.
set -eu
OUT=${OUT:-conformance-report}
LOADSTONE=${LOADSTONE:-$(dirname "$0")/../..}
set -- conformance run "${SUBJECT:?vtn, csip, csms, est or ven}"
[ -z "${TARGET:-}" ] || set -- "$@" --target "$TARGET"
[ -z "${CONFIG:-}" ] || set -- "$@" --config "$CONFIG"
[ -z "${FROM:-}" ] || set -- "$@" --from "$FROM"
[ -z "${PROFILE:-}" ] || set -- "$@" --profile "$PROFILE"
[ -z "${EXPECT:-}" ] || set -- "$@" --expect-failures "$EXPECT"
[ -z "${SEED:-}" ] || set -- "$@" --seed "$SEED"
[ "${SMOKE:-false}" != true ] || set -- "$@" --smoke
mkdir -p "$OUT"
name=$OUT/$SUBJECT${PROFILE:+-$PROFILE}
set -- "$@" --junit "$name.xml" --json "$name.json" --html "$name.html" --markdown "$name.md"
[ -z "${GITHUB_ACTIONS:-}" ] || set -- "$@" --annotations
[ -e "$LOADSTONE/build/cli/loadstone.js" ] || (cd "$LOADSTONE" && npm ci --no-audit --no-fund && npm run build) >&2
code=0
node "$LOADSTONE/build/cli/loadstone.js" "$@" || code=$?
[ -z "${GITHUB_STEP_SUMMARY:-}" ] || [ ! -e "$name.md" ] || cat "$name.md" >> "$GITHUB_STEP_SUMMARY"
exit "$code"
