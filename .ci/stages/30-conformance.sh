#!/usr/bin/env bash
# The full set of each protocol and profile against the conformance seed, by the CI kit (action and GitLab both call conformance/ci/run.sh), then flips and planted faults.
# Everything passes or stands with its reason in conformance/expected-failures.txt; no set may take longer than five minutes (UX-039).
set -uo pipefail
cd "$(dirname "$0")/../.."
base=${LOADSTONE_PORT_BASE:-18300}
out=$(mktemp -d); failed=0
trap 'kill $(cat "$out"/*.pid 2>/dev/null) 2>/dev/null; wait 2>/dev/null; rm -rf "$out"' EXIT
[ -e build/cli/loadstone.js ] || npm run --silent build

serve() { # name, port base, further settings: a seed of its own, its ready line in $out/name.ready
  local name=$1 port=$2; shift 2
  env LOADSTONE_PORT_BASE="$port" "$@" node build/cli/loadstone.js serve --seed conformance --fresh --data "$out/$name" >"$out/$name.ready" 2>"$out/$name.log" &
  echo $! >"$out/$name.pid"
  for _ in $(seq 240); do grep -q '"ready":true' "$out/$name.ready" && return 0; sleep 0.5; done
  tail -n 20 "$out/$name.log"; return 1
}

stop() { kill "$(cat "$out/$1.pid")" 2>/dev/null; wait 2>/dev/null; rm -f "$out/$1.pid"; }

run() { # subject, profile, ready
  local begun=$SECONDS
  if SUBJECT=$1 PROFILE=$2 FROM=$3 OUT=$out/report EXPECT=conformance/expected-failures.txt sh conformance/ci/run.sh >"$out/$1-$2.txt" 2>"$out/$1-$2.err"; then
    tail -n 1 "$out/$1-$2.txt"
  else
    failed=1; grep -v -E '^PASSED|^NOT APPL' "$out/$1-$2.txt"; tail -n 20 "$out/$1-$2.err"
  fi
  local took=$((SECONDS - begun))
  echo "$1 $2: $took s"
  [ "$took" -le 300 ] || { failed=1; echo "$1 $2 took longer than five minutes"; }
}

# The short set is what a pipeline asks for at every push: half a minute (UX-039).
smoke() { # subject, ready
  local begun=$SECONDS
  SUBJECT=$1 FROM=$2 SMOKE=true OUT=$out/smoke sh conformance/ci/run.sh >"$out/smoke-$1.txt" 2>"$out/smoke-$1.err" || { failed=1; grep -v -E '^PASSED|^NOT APPL' "$out/smoke-$1.txt"; }
  local took=$((SECONDS - begun))
  echo "$1, short: $took s"
  [ "$took" -le 30 ] || { failed=1; echo "the short set of $1 took longer than half a minute"; }
}

# The commands of the page for CI engineers as they are written, but for the clone: this checkout stands where it would.
docs() { # ready
  mkdir "$out/docs"; ln -s "$PWD" "$out/docs/loadstone"; cp "$1" "$out/docs/ready.json"
  awk '/^```sh$/ { on = 1; next } /^```$/ { on = 0 } on' docs/conformance.md | grep -v '^git clone ' >"$out/docs/page.sh"
  if [ -s "$out/docs/page.sh" ] && (cd "$out/docs" && sh -eu page.sh) >"$out/docs/said" 2>&1 && [ -s "$out/docs/conformance-report/vtn.xml" ]; then echo 'docs/conformance.md runs as written'
  else failed=1; echo 'docs/conformance.md does not run as written'; tail -n 20 "$out/docs/said"; fi
}

for file in conformance/ci/*.sh .ci/stages/30-conformance.sh; do bash -n "$file" || failed=1; done
for file in conformance/ci/*.yml; do node -e 'require("yaml").parse(require("fs").readFileSync(process.argv[1], "utf8"))' "$file" || failed=1; done

serve main "$base" || exit 1
for subject in vtn csip csms ven; do smoke "$subject" "$out/main.ready"; done
docs "$out/main.ready"
run vtn 3.1.1 "$out/main.ready"; run vtn 3.0.1 "$out/main.ready"
run csip csip "$out/main.ready"; run est rfc7030 "$out/main.ready"
run csms 2.0.1 "$out/main.ready"; run csms 2.1 "$out/main.ready"; run csms 1.6 "$out/main.ready"
run ven 3.1.1 "$out/main.ready"; run ven 3.0.1 "$out/main.ready"
# The short set of every subject twenty times, each time in another order: the same verdicts (UX-038). One process, one server, the subjects side by side.
begun=$SECONDS
node build/conformance/flips.js "$out/main.ready" "${CONFORMANCE_FLIP_RUNS:-20}" || failed=1
echo "flips of the short sets: $((SECONDS - begun)) s"
node build/conformance/fault/check.js "$out/main.ready" "$out"/report/*.json || failed=1
stop main
for edition in 1.2 1.3; do
  serve "aus-$edition" "$base" "LOADSTONE_CSIP_PROFILE=csip-aus-$edition" || exit 1
  run csip "csip-aus-$edition" "$out/aus-$edition.ready"
  [ "$edition" = 1.2 ] || node build/conformance/fault/check.js "$out/aus-$edition.ready" "csip-aus-$edition" "$out/report/csip-csip-aus-$edition.json" || failed=1
  stop "aus-$edition"
done
# What the seed has off: limits, and registration by anybody.
serve limits "$base" LOADSTONE_RATE_LIMITS=on LOADSTONE_CSIP_PROFILE=csip-aus-1.2 LOADSTONE_CSIP_REGISTRATION=open || exit 1
for set in "vtn 3.1.1 tag:limits" "csip csip-aus-1.2 tag:limits csip.aus.site" "csms 2.0.1 tag:limits"; do
  read -r subject profile only <<<"$set"
  # shellcheck disable=SC2086 # several words on purpose
  node build/cli/loadstone.js conformance run "$subject" --from "$out/limits.ready" --profile "$profile" --with rate-limits aggregator-registers --only $only --json "$out/report/limits-$subject.json" || failed=1
done
stop limits
[ -z "${CONFORMANCE_KEEP:-}" ] || { mkdir -p "$CONFORMANCE_KEEP"; cp "$out"/report/*.json "$CONFORMANCE_KEEP"/; }
exit "$failed"
