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
LOADSTONE_PORT_BASE=${LOADSTONE_PORT_BASE:-19500} timeout 300 bash -euo pipefail "$venv/page.sh"
