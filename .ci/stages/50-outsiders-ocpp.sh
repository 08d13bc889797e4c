#!/usr/bin/env bash
# Strangers' charge points, unmodified: PyPI's `ocpp` and npm's ocpp-rpc live through boot, transaction, event and stop over wss.
# Then the commands of docs/ocpp-charger.md.
set -euo pipefail
cd "$(dirname "$0")/../.."
venv=$(mktemp -d); trap 'rm -rf "$venv"' EXIT
python3 -m venv "$venv"
"$venv/bin/pip" install -q ocpp websockets
[ -e build/csms/outsider/live.js ] || npm run --silent build
LOADSTONE_PORT_BASE=${LOADSTONE_PORT_BASE:-19500} timeout 300 node build/csms/outsider/live.js "$venv/bin/python"
# The page's sh blocks, in order, as one script.
awk '/^```sh$/ { on = 1; next } /^```$/ { on = 0 } on' docs/ocpp-charger.md > "$venv/page.sh"
# npx puts a shell between the page and its server, so the page's `kill` may not reach it: a session of its own, which ends whole.
LOADSTONE_PORT_BASE=${LOADSTONE_PORT_BASE:-19500} setsid timeout --foreground 300 bash -euo pipefail "$venv/page.sh" & page=$!
wait "$page" && held=0 || held=$?
pkill -TERM -s "$page" || true
for _ in $(seq 40); do pgrep -s "$page" >/dev/null || break; sleep 0.25; done
exit "$held"
