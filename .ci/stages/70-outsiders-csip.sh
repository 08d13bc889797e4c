#!/usr/bin/env bash
# Clients that know nothing of us, unmodified: the vendor's page as written, then openssl s_client, gnutls-cli and curl through
# registration, program, control, response and mirror metering, EST with strongSwan's pki. Needs root only to install them.
set -euo pipefail
cd "$(dirname "$0")/../.."
export LOADSTONE_PORT_BASE=${LOADSTONE_PORT_BASE:-27100}
if [ "$(id -u)" = 0 ] && ! { command -v gnutls-cli && command -v pki && [ -e /usr/lib/ipsec/plugins/libstrongswan-curl.so ]; } >/dev/null; then
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends gnutls-bin strongswan-pki libstrongswan-standard-plugins libcharon-extra-plugins >/dev/null 2>&1 || true
fi
# npx puts a shell between us and the server: every server gets a process group of its own, and that is what ends.
set -m
pids=(); scratch=$(mktemp -d)
cleanup() { for p in "${pids[@]}"; do kill -- "-$p" 2>/dev/null || true; wait "$p" 2>/dev/null || true; done; rm -rf "$scratch"; }
trap cleanup EXIT
say() { printf '  ok - %s\n' "$*"; }
die() { printf '  not ok - %s\n' "$*"; exit 1; }
want() { grep -qE "$2" <<<"$1" || { printf '%s\n' "$1" | head -c 2000; die "$3"; }; say "$3"; }

# ── 1. the vendor's page, block by block
awk '/^```sh$/ { on = 1; next } /^```$/ { on = 0 } on' docs/vendor-from-zero.md > "$scratch/page.sh"
[ "$(wc -l < "$scratch/page.sh")" -gt 40 ] || die 'the page has no blocks'
printf '%s\n' 'set -euom pipefail' 'trap '\''kill -- "-$SERVER" 2>/dev/null; wait "$SERVER" 2>/dev/null || true'\'' EXIT' | cat - "$scratch/page.sh" > "$scratch/run.sh"
bash "$scratch/run.sh" > "$scratch/page.out" 2> "$scratch/page.err" < /dev/null || { tail -n 30 "$scratch/page.out" "$scratch/page.err"; die 'the vendor page runs as written'; }
page=$(cat "$scratch/page.out")
want "$page" 'Cipher is ECDHE-ECDSA-AES128-CCM8' 'vendor page: CCM_8 with openssl'
want "$page" 'Verify return code: 0 \(ok\)' 'vendor page: the chain verifies'
want "$page" '<DeviceCapability ' 'vendor page: /dcap'
want "$page" '^HTTP/1.1 201' 'vendor page: registered'
want "$page" '<DERSettings .*<setMaxW>' 'vendor page: settings read back'

# ── 2. a server of our own for the rest
npx loadstone serve --seed conformance --fresh --data "$scratch/data" > "$scratch/ready.json" 2> "$scratch/serve.log" & pids+=($!)
for _ in $(seq 240); do grep -q '"ready":true' "$scratch/ready.json" && break; sleep 0.5; done
field() { node -e 'const l = require("fs").readFileSync(process.argv[1], "utf8").split("\n").find((x) => x.includes("\"ready\"")); console.log(JSON.parse(l)[process.argv[2]] ?? "")' "$scratch/ready.json" "$1"; }
csip=$(field csip); est=$(field est); api=$(field operator)/api/v1/csip; token=$(field operatorToken); pki=$(field pki)
[ -n "$csip" ] || { tail "$scratch/serve.log"; die 'the server started'; }
root=${csip%/dcap}; at=${csip#https://}; at=${at%%/*}; port=${at##*:}
suite='ECDHE-ECDSA-AES128-CCM8:@SECLEVEL=0'
lfdi() { node -e 'console.log(Object.values({ x: JSON.parse(require("fs").readFileSync(process.argv[1], "utf8"))[process.argv[2]] })[0][process.argv[3]])' "$pki/lfdi.json" "$1" "$2"; }

# openssl as an HTTP client: prints the whole answer
with_openssl() { # device method path [body]
  { printf '%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n' "$2" "$3"; [ -z "${4:-}" ] || printf 'Content-Type: application/sep+xml\r\nContent-Length: %d\r\n' "${#4}"; printf '\r\n%s' "${4:-}"; } |
    timeout 20 openssl s_client -quiet -ign_eof -connect "$at" -tls1_2 -cipher "$suite" -CAfile "$pki/serca.pem" -ignore_critical -verify_return_error -cert "$pki/$1.pem" -key "$pki/$1.key" 2>/dev/null
}
with_gnutls() { # device method path [body]
  { printf '%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n' "$2" "$3"; [ -z "${4:-}" ] || printf 'Content-Type: application/sep+xml\r\nContent-Length: %d\r\n' "${#4}"; printf '\r\n%s' "${4:-}"; sleep 1; } |
    timeout 20 gnutls-cli localhost -p "$port" --no-ca-verification --priority 'NONE:+VERS-TLS1.2:+ECDHE-ECDSA:+AES-128-CCM-8:+AEAD:+SIGN-ECDSA-SHA256:+GROUP-SECP256R1:+CTYPE-X509:+COMP-NULL' \
      --x509certfile "$pki/$1.pem" --x509keyfile "$pki/$1.key" 2>/dev/null
}
pin=$(openssl x509 -in "$pki/server.pem" -pubkey -noout | openssl pkey -pubin -outform DER | openssl dgst -sha256 -binary | openssl base64)
with_curl() { # device method path [body]
  curl -sS -i -k --pinnedpubkey "sha256//$pin" --tlsv1.2 --tls-max 1.2 --ciphers "$suite" --cert "$pki/$1.pem" --key "$pki/$1.key" -X "$2" ${4:+-H 'Content-Type: application/sep+xml' -d "$4"} "https://$at$3"
}
operator() { # method path body
  curl -sS -i -H "Authorization: Bearer $token" -H 'Content-Type: application/sep+xml' -X "$1" -d "$3" "$api$2"
}
clients=(with_openssl)
if with_curl device-1 GET /dcap 2>"$scratch/curl.err" | grep -q 'DeviceCapability'; then clients+=(with_curl); else printf '  # this curl has no CCM_8 (%s): openssl speaks HTTP in its place\n' "$(head -c 100 "$scratch/curl.err")"; fi
if command -v gnutls-cli >/dev/null; then clients+=(with_gnutls); else printf '  # no gnutls-cli here\n'; fi

xml() { printf '<%s xmlns="urn:ieee:std:2030.5:ns">%s</%s>' "$1" "$2" "$1"; }
located() { grep -i '^location:' <<<"$1" | tail -n 1 | sed -E 's/^[^:]*: *//; s/\r$//'; }
hex() { printf '%024X%08X' "$1" 32473; }

# ── 3. the whole life, once with each client
n=0; devices=(device-5 device-1 device-2)
for client in "${clients[@]}"; do
  device=${devices[$n]}; n=$((n + 1)); me=$(lfdi "$device" lfdi); sfdi=$(lfdi "$device" sfdi)
  answer=$("$client" "$device" GET /dcap); want "$answer" 'HTTP/1.1 200.*' "$client: /dcap"
  want "$answer" '<EndDeviceListLink href="/edev" all="[01]"' "$client: finds the EndDeviceList"
  answer=$("$client" "$device" POST /edev "$(xml EndDevice "<sFDI>$((10#$sfdi))</sFDI><changedTime>0</changedTime>")")
  want "$answer" 'HTTP/1.1 20[14]' "$client: registers ($device)"
  edev=$(located "$answer")
  want "$("$client" "$device" GET "$edev/fsa?l=20")" '<FunctionSetAssignmentsList .*DERProgramListLink' "$client: its FunctionSetAssignments"
  programs=$("$client" "$device" GET '/derp?l=20'); want "$programs" '<DERProgram href="/derp/system"' "$client: the program of its group"
  mrid=$(hex $((n + 100))); start=$(($(date +%s) + 3))
  made=$(operator POST /derp/system/derc "$(xml DERControl "<mRID>$mrid</mRID><creationTime>0</creationTime><EventStatus><currentStatus>0</currentStatus><dateTime>0</dateTime><potentiallySuperseded>false</potentiallySuperseded></EventStatus><interval><duration>4</duration><start>$start</start></interval><DERControlBase><opModMaxLimW>5000</opModMaxLimW></DERControlBase>")")
  want "$made" 'HTTP/1.1 201' "$client: the operator makes a DERControl"
  list=$("$client" "$device" GET '/derp/system/derc?l=20'); want "$list" "<mRID>$mrid</mRID>.*<currentStatus>0<" "$client: sees it scheduled"
  reply=$(grep -o 'replyTo="[^"]*"' <<<"$list" | head -n 1 | cut -d'"' -f2)
  respond() { "$client" "$device" POST "$reply" "$(xml DERControlResponse "<createdDateTime>$(date +%s)</createdDateTime><endDeviceLFDI>$me</endDeviceLFDI><status>$1</status><subject>$mrid</subject>")"; }
  want "$(respond 1)" 'HTTP/1.1 201' "$client: response 1, received"
  while [ "$(date +%s)" -lt $((start + 1)) ]; do sleep 0.2; done
  want "$("$client" "$device" GET '/derp/system/actderc?l=20')" "<mRID>$mrid</mRID>.*<currentStatus>1<" "$client: sees it active"
  want "$(respond 2)" 'HTTP/1.1 201' "$client: response 2, started"
  while [ "$(date +%s)" -lt $((start + 5)) ]; do sleep 0.2; done
  ! grep -q "$mrid" <<<"$("$client" "$device" GET '/derp/system/derc?l=20')" || die "$client: it left the list at its end"; say "$client: it left the list at its end"
  want "$(respond 3)" 'HTTP/1.1 201' "$client: response 3, completed"
  want "$("$client" "$device" POST /mup "$(xml MirrorUsagePoint "<mRID>$(hex $((n + 200)))</mRID><roleFlags>0003</roleFlags><serviceCategoryKind>0</serviceCategoryKind><status>1</status><deviceLFDI>$me</deviceLFDI><MirrorMeterReading><mRID>$(hex $((n + 300)))</mRID><ReadingType><accumulationBehaviour>4</accumulationBehaviour><flowDirection>1</flowDirection><intervalLength>900</intervalLength><powerOfTenMultiplier>0</powerOfTenMultiplier><uom>72</uom></ReadingType></MirrorMeterReading>")")" 'HTTP/1.1 201' "$client: makes a MirrorUsagePoint"
  mup=$("$client" "$device" GET '/mup?l=5' | grep -o '<MirrorUsagePoint href="[^"]*"' | head -n 1 | cut -d'"' -f2)
  from=$(($(date +%s) / 900 * 900 - 900))
  want "$("$client" "$device" POST "$mup" "$(xml MirrorMeterReading "<mRID>$(hex $((n + 300)))</mRID><MirrorReadingSet><mRID>$(hex $((n + 400)))</mRID><timePeriod><duration>900</duration><start>$from</start></timePeriod><Reading><timePeriod><duration>900</duration><start>$from</start></timePeriod><value>$((n * 111))</value></Reading></MirrorReadingSet>")")" 'HTTP/1.1 201' "$client: posts a reading"
done
refused=$(openssl s_client -connect "$at" -tls1_3 -cert "$pki/device-1.pem" -key "$pki/device-1.key" </dev/null 2>&1 || true); want "$refused" 'alert|handshake failure|protocol version' 'TLS 1.3 alone is refused'
refused=$(openssl s_client -connect "$at" -tls1_2 -cipher "$suite" </dev/null 2>&1 || true); want "$refused" 'alert handshake failure|alert number 40' 'no certificate, no handshake'

# ── 4. EST: strongSwan's pki reads cacerts and enrols; the issued device then talks to the 2030.5 door
if command -v pki >/dev/null && pki --estca --help >/dev/null 2>&1; then
  host=${est%/.well-known/est}
  pki --estca --url "$host" --cacert "$pki/tls-ca.pem" --caout "$scratch/est-ca" > "$scratch/pki.out" 2>&1 || { tail -n 8 "$scratch/pki.out"; die 'strongSwan: pki --estca'; }
  ls "$scratch"/est-ca* >/dev/null; say 'strongSwan: pki --estca reads cacerts'
  # strongSwan reads neither a hardwareModuleName in a request nor the critical policies of a 2030.5 leaf (SEP-202): its part ends where
  # it has authenticated, sent a plain request (SEP-224: the name comes from the record) and been given a certificate.
  secret=$(sed -n 's/.*"secret": "\([^"]*\)".*/\1/p' "$pki/est.json" | tail -n 1); serial=$(sed -n 's/.*"hwSerialNum": "\([^"]*\)".*/\1/p' "$pki/est.json" | tail -n 1)
  printf '[req]\ndistinguished_name = nothing\n[nothing]\n' > "$scratch/plain.cnf"
  openssl ecparam -name prime256v1 -genkey -noout -out "$scratch/swan.key"
  openssl req -new -sha256 -key "$scratch/swan.key" -subj / -config "$scratch/plain.cnf" -outform DER -out "$scratch/swan.csr"
  pki --est --url "$host" --in "$scratch/swan.csr" --cacert "$pki/tls-ca.pem" --cacert "$pki/serca.pem" --cacert "$pki/mica.pem" --userpass "$serial:$secret" > "$scratch/swan.der" 2> "$scratch/pki.err" || true
  if [ -s "$scratch/swan.der" ] || grep -q 'unsupported critical X.509 extension: X509v3 Certificate Policies' "$scratch/pki.err"; then say 'strongSwan: pki --est is given a certificate for a one-time secret'; else tail -n 12 "$scratch/pki.err"; die 'strongSwan: pki --est'; fi
  want "$(curl -sS -H "Authorization: Bearer $token" "$(field operator)/api/v1/certificates?limit=500")" "$serial" 'strongSwan: the registry knows the device'
else printf '  # no strongSwan pki here\n'; fi
printf 'all outsiders agree\n'
