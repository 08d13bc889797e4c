#!/usr/bin/env bash
# Other people's OpenADR and MQTT software, unmodified, against `serve --seed conformance`: two Python clients from PyPI, paho-mqtt,
# Mosquitto's clients at the embedded broker, Mosquitto as external broker, by ACL file and by HTTP callbacks. Then the docs and examples of both roles, as written.
set -uo pipefail
cd "$(dirname "$0")/../.."
root=$PWD
B=${LOADSTONE_CI_BASE:-27400}; C=$((B + 20)); M=$((B + 19))
loadstone=(${LOADSTONE:-node build/cli/loadstone.js})
work=$(mktemp -d); passed=0; failed=0; pids=()
end() { for p in "${pids[@]}"; do kill "$p" 2>/dev/null; done; for p in "${pids[@]}"; do wait "$p" 2>/dev/null; done; rm -rf "$work"; }
trap end EXIT
tally() { # file: adds its "N passed, N failed" line
  local line; line=$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$1" | tail -n 1)
  [ -n "$line" ] || { failed=$((failed + 1)); echo "not ok - $1 ended without a result"; return; }
  passed=$((passed + ${line%% *})); failed=$((failed + $(sed -E 's/.* passed, ([0-9]+) failed.*/\1/' <<<"$line")))
}
part() { local name=$1; shift; echo "--- $name"; "$@" 2>&1 | tee "$work/$name.out"; tally "$work/$name.out"; }
ready() { for _ in $(seq 120); do grep -q '"ready"' "$1" 2>/dev/null && { grep '"ready"' "$1" >"$1.ready"; return 0; }; sleep 0.5; done; echo "no ready line in $1"; cat "$1.err"; return 1; }

# Headers for the plugin that asks over HTTP.
[ -e /usr/include/mosquitto.h ] && [ -e /usr/include/mosquitto_plugin.h ] || DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends mosquitto-dev libmosquitto-dev gcc libc6-dev >/dev/null 2>&1 || true
export LOADSTONE_MQTT_CALLBACK_SECRET=$(head -c 24 /dev/urandom | od -An -tx1 | tr -d ' \n')

# The external broker: one listener, a password file, an ACL file that Loadstone will print.
mkdir -p "$work/broker"
cat >"$work/broker/conf" <<CONF
user root
listener $M 127.0.0.1
allow_anonymous false
password_file $work/broker/passwords
acl_file $work/broker/acl
pid_file $work/broker/pid
CONF
: >"$work/broker/passwords"; printf 'user loadstone\ntopic write #\n' >"$work/broker/acl"; chmod 600 "$work/broker/passwords" "$work/broker/acl"
for login in loadstone:publisher-pass bl_client:bl-broker-pass ven_client:ven-broker-pass ven_client2:ven2-broker-pass; do
  mosquitto_passwd -b "$work/broker/passwords" "${login%%:*}" "${login#*:}" || { echo 'not ok - mosquitto is not installed'; echo '0 passed, 1 failed'; exit 1; }
done
PATH=$PATH:/usr/sbin mosquitto -c "$work/broker/conf" >"$work/broker/log" 2>&1 & pids+=($!)

LOADSTONE_PORT_BASE=$B "${loadstone[@]}" serve --seed conformance --fresh --data "$work/a" >"$work/a.log" 2>"$work/a.log.err" & pids+=($!)
# The second one also takes null for "absent" (OA-056): the ElaadNL client prints every member that it knows.
LOADSTONE_VTN_LENIENT_NULLS=on LOADSTONE_MQTT_URL="mqtt://loadstone:publisher-pass@127.0.0.1:$M" \
  LOADSTONE_PORT_BASE=$C "${loadstone[@]}" serve --seed conformance --fresh --data "$work/b" >"$work/b.log" 2>"$work/b.log.err" & pids+=($!)

python() { # least minor version of Python 3: prints one that is new enough
  for one in python3.13 python3.12 python3.11 python3.10 python3 "$HOME"/.pyenv/versions/3.*/bin/python; do
    command -v "$one" >/dev/null 2>&1 && "$one" -c "import sys, venv; sys.exit(sys.version_info < (3, $1))" 2>/dev/null && { echo "$one"; return 0; }
  done
  return 1
}
venv() { # folder, least minor, packages…
  local folder=$1 minor=$2 one; shift 2
  one=$(python "$minor") || { echo "there is no Python 3.$minor or newer here"; return 1; }
  "$one" -m venv "$folder" && "$folder/bin/pip" install -q --disable-pip-version-check "$@"
}
venv "$work/clark" 10 openadr3 paho-mqtt; clark=$?
venv "$work/elaad" 12 openadr3-client; elaad=$?
ready "$work/a.log" && ready "$work/b.log" || { echo '0 passed, 1 failed'; exit 1; }

walk() { # python of a venv, its status, script, ready file
  [ "$2" -eq 0 ] || { echo "not ok - the packages of $3 could not be installed"; echo '0 passed, 1 failed'; return; }
  local ca; ca=$(node -p "JSON.parse(require('fs').readFileSync('$4','utf8')).pki")/tls-ca.pem
  REQUESTS_CA_BUNDLE=$ca SSL_CERT_FILE=$ca "$1" ".ci/outsiders/$3" "$4"
}
part clark walk "$work/clark/bin/python" "$clark" clark.py "$work/a.log.ready"
part elaad walk "$work/elaad/bin/python" "$elaad" elaad.py "$work/b.log.ready"
part mosquitto bash .ci/outsiders/mosquitto.sh "$work/a.log.ready" "$work/b.log.ready" "$M" "$work/broker"
LOADSTONE_DOCS_BASE=$((B + 40)) part docs bash .ci/outsiders/docs.sh

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
