#!/usr/bin/env bash
# Mosquitto, unmodified. (a) its clients at our embedded broker: exactly their own topics, the OAuth token as password.
# (b) as external broker: password file and the ACL lines that Loadstone prints. (c) as external broker whose plugin asks Loadstone over HTTP.
# usage: mosquitto.sh READY_FILE_EMBEDDED READY_FILE_EXTERNAL EXTERNAL_PORT BROKER_FOLDER
set -uo pipefail
passed=0; failed=0
check() { # title, command…
  local title=$1; shift
  if "$@"; then passed=$((passed + 1)); echo "ok - $title"; else failed=$((failed + 1)); echo "not ok - $title"; fi
}
of() { node -p "JSON.parse(require('fs').readFileSync('$1','utf8'))$2 ?? ''"; }
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT

use() { # ready file: which server the functions below speak to
  url=$(of "$1" .vtn); ca=$(of "$1" .pki)/tls-ca.pem; operator=$(of "$1" .operator); operatorToken=$(of "$1" .operatorToken)
  bl=$(token bl_client 1001); ven=$(token ven_client 999); ven2=$(token ven_client2 9999)
}
token() { curl -fsS --cacert "$ca" "$url/auth/token" -d "grant_type=client_credentials&client_id=$1&client_secret=$2" | node -p "JSON.parse(require('fs').readFileSync(0)).access_token"; }
post() { curl -fsS --cacert "$ca" -H "Authorization: Bearer $1" -H 'Content-Type: application/json' "$url$2" -d "$3" | node -p "JSON.parse(require('fs').readFileSync(0)).id"; }
put() { curl -fsS -o /dev/null -X PUT --cacert "$ca" -H "Authorization: Bearer $1" -H 'Content-Type: application/json' "$url$2" -d "$3"; }
holds() { grep -q -- "$2" "$1"; }
lacks() { ! grep -q -- "$2" "$1"; }
settle() { for _ in $(seq 50); do grep -q -- "$2" "$1" && return 0; sleep 0.2; done; return 1; }

vens() { # name: makes a program and two VENs, the first with a target
  program=$(post "$bl" /programs "{\"programName\":\"$1\"}")
  mine=$(post "$ven" /vens "{\"objectType\":\"VEN_VEN_REQUEST\",\"venName\":\"$1-1\"}")
  theirs=$(post "$ven2" /vens "{\"objectType\":\"VEN_VEN_REQUEST\",\"venName\":\"$1-2\"}")
  put "$bl" "/vens/$mine" "{\"objectType\":\"BL_VEN_REQUEST\",\"clientID\":\"ven_client\",\"venName\":\"$1-1\",\"targets\":[\"$1-group\"]}"
}
tidy() { for one in "/programs/$program" "/vens/$mine" "/vens/$theirs"; do curl -fsS -o /dev/null -X DELETE --cacert "$ca" -H "Authorization: Bearer $bl" "$url$one"; done; }

walk() { # title, name; mosquitto_sub's way to the broker in "${way[@]}", passwords in p_ven, p_ven2, p_bl
  local title=$1 name=$2 pids=()
  hear() { mosquitto_sub "${way[@]}" -i "$name-$1" -u "$2" -P "$3" -q 1 -t "$4" -F '%t %p' -W 25 >"$work/$name-$1" 2>&1 & pids+=($!); }
  hear own ven_client "$p_ven" "events/vens/$mine/+"
  hear other ven_client2 "$p_ven2" "events/vens/$theirs/+"
  hear foreign ven_client2 "$p_ven2" "events/vens/$mine/+"
  hear all ven_client2 "$p_ven2" '#'
  hear everything bl_client "$p_bl" 'events/+'
  sleep 2
  mosquitto_pub "${way[@]}" -i "$name-pub" -u ven_client -P "$p_ven" -q 1 -t "events/vens/$theirs/create" -m forged >/dev/null 2>&1
  post "$bl" /events "{\"programID\":\"$program\",\"eventName\":\"$name aimed\",\"targets\":[\"$name-group\",\"secret-of-others\"],\"intervals\":[]}" >/dev/null
  post "$bl" /events "{\"programID\":\"$program\",\"eventName\":\"$name open\"}" >/dev/null
  check "$title: the VEN hears of its event" settle "$work/$name-own" "$name aimed"
  check "$title: … with hidden targets" lacks "$work/$name-own" secret-of-others
  check "$title: both hear what is for everybody" settle "$work/$name-other" "$name open"
  check "$title: the other VEN does not hear of the aimed one" lacks "$work/$name-other" "$name aimed"
  check "$title: business logic hears both" settle "$work/$name-everything" "$name open"
  check "$title: … with all targets" holds "$work/$name-everything" secret-of-others
  check "$title: a VEN hears nothing on another VEN's topic" lacks "$work/$name-foreign" "$name"
  check "$title: a VEN hears no other topic through #" lacks "$work/$name-all" "$name aimed"
  check "$title: a VEN cannot publish" lacks "$work/$name-other" forged
  kill "${pids[@]}" 2>/dev/null; wait "${pids[@]}" 2>/dev/null
}

use "$1"
mqtt=$(of "$1" .mqtt); host=${mqtt#mqtts://}; host=${host%/}
way=(-h "${host%:*}" -p "${host#*:}" --cafile "$ca")
p_ven=$ven; p_ven2=$ven2; p_bl=$bl
vens mosquitto-a
walk 'mosquitto_sub at the embedded broker' mosquitto-a
wrong() { ! timeout 10 mosquitto_sub "${way[@]}" -u "$1" -P "$2" -t "events/vens/$mine/+" -W 3 >"$work/wrong" 2>&1 && grep -qi 'not authori[sz]ed\|refused' "$work/wrong"; }
check 'mosquitto_sub: a wrong password is refused' wrong ven_client nonsense
check "mosquitto_sub: another client's name is refused" wrong ven_client2 "$ven"
tidy

use "$2"
way=(-h 127.0.0.1 -p "$3")
p_ven=ven-broker-pass; p_ven2=ven2-broker-pass; p_bl=bl-broker-pass
vens mosquitto-b
acl() { curl -fsS -H "Authorization: Bearer $operatorToken" "$operator/api/v1/openadr/mqtt-acl" >"$4/acl.new" && grep -q "events/vens/$mine/+" "$4/acl.new" && cat "$4/acl.new" >"$4/acl" && kill -HUP "$(cat "$4/pid")"; }
check 'Loadstone prints the ACL of a Mosquitto' acl "$@"
sleep 1
walk 'Mosquitto as external broker' mosquitto-b
check 'the broker login is nobody else’s to see' bash -c "! curl -fsS --cacert '$ca' -H 'Authorization: Bearer $ven' '$url/notifiers' | grep -q publisher-pass"
tidy

# The same server publishes there; the broker of (b) ends and one that asks takes its port. Its password file knows the publisher alone.
kill "$(cat "$4/pid")"; while kill -0 "$(cat "$4/pid" 2>/dev/null)" 2>/dev/null; do sleep 0.1; done
asking() { # a broker that shows this secret; empties its log
  [ -z "${broker:-}" ] || { kill "$broker"; wait "$broker" 2>/dev/null; }
  printf '%s\n' 'user root' "listener $3 127.0.0.1" 'allow_anonymous false' "password_file $work/passwords" "plugin $work/callback.so" "plugin_opt_port $(of "$2" .vtnHttp | sed -E 's/.*:([0-9]+).*/\1/')" "plugin_opt_secret $1" >"$work/asking.conf"
  PATH=$PATH:/usr/sbin mosquitto -c "$work/asking.conf" >"$work/asking.log" 2>&1 & broker=$!
  for _ in $(seq 50); do (: <"/dev/tcp/127.0.0.1/$3") 2>/dev/null && return 0; sleep 0.1; done; return 1
}
: >"$work/passwords"; chmod 600 "$work/passwords"; mosquitto_passwd -b "$work/passwords" loadstone publisher-pass
check 'a plugin that asks over HTTP is built' cc -shared -fPIC -o "$work/callback.so" "$(dirname "$0")/mosquitto-callback.c"
use "$2"
p_ven=$ven; p_ven2=$ven2; p_bl=$bl
check 'a Mosquitto that asks Loadstone starts' asking "$LOADSTONE_MQTT_CALLBACK_SECRET" "$2" "$3"
heard() { for _ in $(seq 60); do grep -q ' as .*loadstone' "$work/asking.log" && return 0; sleep 0.5; done; cat "$work/asking.log"; return 1; }
check 'Loadstone comes back to its broker by itself' heard
vens mosquitto-c
walk 'Mosquitto that asks over HTTP' mosquitto-c
check 'it refuses a wrong password' wrong ven_client nonsense
check "it refuses another client's name" wrong ven_client2 "$ven"
tidy
check 'a Mosquitto with another secret starts' asking 0000000000000000000000000000000000000000 "$2" "$3"
check 'it lets nobody in, as Loadstone answers it nothing' wrong ven_client "$ven"
kill "$broker"; wait "$broker" 2>/dev/null
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
