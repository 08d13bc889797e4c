#!/usr/bin/env bash
# The full set of each protocol against the conformance seed, twice as CI kit (action and GitLab both call conformance/ci/run.sh), then the planted faults.
# Everything passes or stands with its reason in conformance/expected-failures.txt.
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

run() { # subject, profile, ready
  local begun=$SECONDS
  if SUBJECT=$1 PROFILE=$2 FROM=$3 OUT=$out/report EXPECT=conformance/expected-failures.txt sh conformance/ci/run.sh >"$out/$1-$2.txt" 2>"$out/$1-$2.err"; then
    tail -n 1 "$out/$1-$2.txt"
  else
    failed=1; grep -v -E '^PASSED|^NOT APPL' "$out/$1-$2.txt"; tail -n 20 "$out/$1-$2.err"
  fi
  echo "$1 $2: $((SECONDS - begun)) s"
}

for file in conformance/ci/*.sh .ci/stages/30-conformance.sh; do bash -n "$file" || failed=1; done
for file in conformance/ci/*.yml; do node -e 'require("yaml").parse(require("fs").readFileSync(process.argv[1], "utf8"))' "$file" || failed=1; done

serve main "$base" || exit 1
run vtn 3.1.1 "$out/main.ready"; run vtn 3.0.1 "$out/main.ready"
run csip csip "$out/main.ready"; run est rfc7030 "$out/main.ready"
run csms 2.0.1 "$out/main.ready"; run csms 1.6 "$out/main.ready"
run ven 3.1.1 "$out/main.ready"
# The short sets, in another order: the same verdicts, no flips.
for subject in vtn csip csms; do
  for seed in 1 2 3; do
    node build/cli/loadstone.js conformance run "$subject" --from "$out/main.ready" --smoke --seed "$seed" --json "$out/$subject-$seed.json" >/dev/null 2>&1
    node -e 'const r=JSON.parse(require("fs").readFileSync(process.argv[1]));console.log(r.results.map(x=>x.id+" "+x.verdict).sort().join("\n"))' "$out/$subject-$seed.json" >"$out/$subject-$seed.verdicts"
    cmp -s "$out/$subject-1.verdicts" "$out/$subject-$seed.verdicts" || { failed=1; echo "$subject: seed $seed flips:"; diff "$out/$subject-1.verdicts" "$out/$subject-$seed.verdicts"; }
  done
done
node build/conformance/fault/check.js "$out/main.ready" || failed=1
kill "$(cat "$out/main.pid")" 2>/dev/null; wait 2>/dev/null; rm -f "$out/main.pid"
serve aus "$base" LOADSTONE_CSIP_PROFILE=csip-aus-1.2 || exit 1
run csip csip-aus-1.2 "$out/aus.ready"
exit "$failed"
