"""openadr3 (Clark Communications) and paho-mqtt, unmodified: a VEN registers, reads events over REST and MQTT (mqtts, token as password), reports.

usage: clark.py READY_LINE_FILE
"""
import json
import queue
import ssl
import sys
from datetime import datetime, timezone
from pathlib import Path

import paho.mqtt.client as mqtt
from openadr3 import body, coerce_notification, fetch_token, success
from openadr3.api import OpenADRClient
from report import check, end, expect

ready = json.loads(Path(sys.argv[1]).read_text())
url = ready["vtn"]
ca = str(Path(ready["pki"]) / "tls-ca.pem")


def client(name, secret):
    """No scopes asked for: whoever asks for more than its role has gets invalid_scope (OA-026)."""
    return OpenADRClient(url, token=fetch_token(url, name, secret))


def made(answer):
    expect(success(answer), f"{answer.status_code} {answer.text}")
    return body(answer)


bl = check("clark: business logic gets a token by discovery", lambda: client("bl_client", "1001"))
ven = check("clark: VEN gets a token", lambda: client("ven_client", "999"))
other = check("clark: second VEN gets a token", lambda: client("ven_client2", "9999"))
now = datetime.now(timezone.utc).replace(microsecond=0).isoformat().replace("+00:00", "Z")
program = check("clark: creates a program", lambda: made(bl.create_program({"programName": "clark"})))
mine = check("clark: VEN registers", lambda: made(ven.create_ven({"objectType": "VEN_VEN_REQUEST", "venName": "clark-1"})))
theirs = check("clark: second VEN registers", lambda: made(other.create_ven({"objectType": "VEN_VEN_REQUEST", "venName": "clark-2"})))
check("clark: business logic targets it", lambda: made(bl.update_ven(mine["id"], {"objectType": "BL_VEN_REQUEST", "clientID": "ven_client", "venName": "clark-1", "targets": ["clark-group"]})))
check("clark: finds its ven by name", lambda: expect(ven.find_ven_by_name("clark-1").id == mine["id"], "ven"))

heard = {"ven_client": queue.Queue(), "ven_client2": queue.Queue()}
granted = queue.Queue()


def listen(name, token, topic):
    """The address, the way to log in and the topic are what the VTN says; the token is the password."""
    notifier = body(ven.get_notifiers())["MQTT"]
    expect(notifier["authentication"]["method"] == "OAUTH2_BEARER_TOKEN", notifier)
    at = notifier["URIS"][0].removeprefix("mqtts://").rstrip("/").split(":")
    one = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv311)
    one.username_pw_set(notifier["authentication"]["username"].replace("{clientID}", name), token)
    one.tls_set(ca_certs=ca, tls_version=ssl.PROTOCOL_TLS_CLIENT)
    one.on_message = lambda _c, _u, message: heard[name].put((message.topic, json.loads(message.payload)))
    one.on_connect = lambda c, _u, _f, code, _p: granted.put(("refused", str(code))) if code.is_failure else c.subscribe(topic, qos=1)
    one.on_subscribe = lambda _c, _u, _m, codes, _p: granted.put((topic, codes[0].value))
    one.connect(at[0], int(at[1]))
    one.loop_start()
    return one


token1, token2 = fetch_token(url, "ven_client", "999"), fetch_token(url, "ven_client2", "9999")
topic = check("clark: topics of its events", lambda: body(ven.get_mqtt_topics_ven_events(mine["id"]))["topics"]["ALL"])
topic2 = check("clark: … of the second VEN", lambda: body(other.get_mqtt_topics_ven_events(theirs["id"]))["topics"]["ALL"])
listeners = [check("paho: VEN connects over mqtts", lambda: listen("ven_client", token1, topic))]
check("paho: … and may subscribe", lambda: expect(granted.get(timeout=10) == (topic, 1), "subscription refused"))
listeners.append(check("paho: second VEN connects", lambda: listen("ven_client2", token2, topic2)))
check("paho: … and may subscribe", lambda: expect(granted.get(timeout=10) == (topic2, 1), "subscription refused"))
listeners.append(check("paho: second VEN asks for the first one's topic", lambda: listen("ven_client2", token2, topic)))
check("paho: … and is refused", lambda: expect(granted.get(timeout=10)[1] in (128, 135, "refused"), "was granted"))
check("clark: another VEN's topics are as if absent", lambda: expect(other.get_mqtt_topics_ven_events(mine["id"]).status_code == 404, "status"))
check("clark: collection topics are business logic's", lambda: expect(ven.get_mqtt_topics_events().status_code == 403, "status"))

event = check("clark: creates a targeted event", lambda: made(bl.create_event({
    "programID": program["id"], "eventName": "now", "targets": ["clark-group"], "intervalPeriod": {"start": now, "duration": "PT1H"},
    "reportDescriptors": [{"payloadType": "USAGE", "units": "KWH"}],
    "intervals": [{"id": 0, "payloads": [{"type": "SIMPLE", "values": [2]}]}]})))


def first():
    at, notice = heard["ven_client"].get(timeout=10)
    expect(at.startswith(topic.removesuffix("+")) and at.endswith("create"), at)
    expect(coerce_notification(notice).object.id == event["id"], notice)


check("paho: the VEN hears of its event", first)
check("paho: the other VEN hears nothing", lambda: expect(heard["ven_client2"].empty(), "heard"))
check("clark: the VEN reads it over REST", lambda: expect([e.id for e in ven.events(programID=program["id"], active="true")] == [event["id"]], "events"))
check("clark: payloads and times are understood", lambda: expect(ven.event(event["id"]).intervals[0].payloads[0].values[0] == 2, "value"))
check("clark: the other VEN does not", lambda: expect(other.get_event_by_id(event["id"]).status_code == 404, "status"))
report = check("clark: VEN reports", lambda: made(ven.create_report({
    "eventID": event["id"], "clientName": "clark-1", "resources": [{"resourceName": "site", "intervals": [{"id": 0, "payloads": [{"type": "USAGE", "values": [3.5]}]}]}]})))
check("clark: business logic reads the report", lambda: expect(bl.report(report["id"]).client_name == "clark-1", "report"))
check("clark: business logic cancels", lambda: made(bl.delete_event(event["id"])))
check("paho: the VEN hears of that too", lambda: expect(heard["ven_client"].get(timeout=10)[0].endswith("delete"), "topic"))
for one in listeners:
    if one:
        one.loop_stop()
        one.disconnect()
check("clark: cleans up", lambda: [made(bl.delete_program(program["id"])), made(bl.delete_ven(mine["id"])), made(bl.delete_ven(theirs["id"]))])
end()
