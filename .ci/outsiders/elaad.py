"""openadr3-client of ElaadNL, unmodified: business logic and a VEN, on 3.1 (https, own CA) and on 3.0.1.

usage: elaad.py READY_LINE_FILE
"""
import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from openadr3_client.bl.http_factory import BusinessLogicHttpClientFactory
from openadr3_client.ven.http_factory import VirtualEndNodeHttpClientFactory
from openadr3_client.version import OADRVersion
from openadr3_client._models.common.interval import Interval
from openadr3_client._models.common.interval_period import IntervalPeriod
from openadr3_client.oadr301.models.event.event import NewEvent as NewEvent301
from openadr3_client.oadr301.models.event.event_payload import EventPayload as EventPayload301
from openadr3_client.oadr301.models.event.event_payload import EventPayloadType as EventPayloadType301
from openadr3_client.oadr301.models.program.program import NewProgram as NewProgram301
from openadr3_client.oadr310.models.event.event import EventUpdate, NewEvent
from openadr3_client.oadr310.models.event.event_payload import EventPayload, EventPayloadDescriptor, EventPayloadType
from openadr3_client.oadr310.models.program.program import NewProgram
from openadr3_client.oadr310.models.report.report import NewReport, ReportResource
from openadr3_client.oadr310.models.report.report_payload import ReportDescriptor, ReportPayload, ReportPayloadType
from openadr3_client.oadr310.models.resource.resource import NewResourceVenRequest
from openadr3_client.oadr310.models.unit import Unit
from openadr3_client.oadr310.models.ven.ven import NewVenVenRequest, VenUpdateBlRequest
from report import check, end, expect

ready = json.loads(Path(sys.argv[1]).read_text())
url = ready["vtn"]
ca = Path(ready["pki"]) / "tls-ca.pem"
common = {"verify_vtn_tls_certificate": ca, "version": OADRVersion.OADR_310}
bl = check("elaad: business logic client finds the token URL and connects", lambda: BusinessLogicHttpClientFactory.create_http_bl_client(url, "bl_client", "1001", **common))
ven = check("elaad: VEN client finds the token URL and connects", lambda: VirtualEndNodeHttpClientFactory.create_http_ven_client(url, "ven_client", "999", **common))
other = check("elaad: second VEN client connects", lambda: VirtualEndNodeHttpClientFactory.create_http_ven_client(url, "ven_client2", "9999", **common))
start = datetime.now(UTC).replace(microsecond=0)

program = check("elaad: creates a program", lambda: bl.programs.create_program(NewProgram(program_name="elaad-31")))
mine = check("elaad: VEN registers", lambda: ven.vens.create_ven(NewVenVenRequest(ven_name="elaad-ven-1")))
theirs = check("elaad: second VEN registers", lambda: other.vens.create_ven(NewVenVenRequest(ven_name="elaad-ven-2")))
check("elaad: business logic gives the VEN a target", lambda: expect(
    "elaad-group" in (bl.vens.update_ven_by_id(mine.id, VenUpdateBlRequest(ven_name="elaad-ven-1", targets=("elaad-group",), client_id="ven_client")).targets or ()), "target is gone"))
resource = check("elaad: VEN adds a resource", lambda: ven.resources.create_resource(NewResourceVenRequest(resource_name="heat-pump", venID=mine.id)))


def new_event(targets):
    return NewEvent(
        programID=program.id, event_name="elaad event", priority=1, targets=targets,
        payload_descriptors=(EventPayloadDescriptor(payload_type=EventPayloadType.IMPORT_CAPACITY_LIMIT, units=Unit.KW),),
        report_descriptors=(ReportDescriptor(payload_type=ReportPayloadType.USAGE, units=Unit.KWH),),
        interval_period=IntervalPeriod(start=start, duration=timedelta(minutes=15)),
        intervals=(Interval(id=0, payloads=(EventPayload(type=EventPayloadType.IMPORT_CAPACITY_LIMIT, values=(4.5,)),)),),
    )


event = check("elaad: creates a targeted event", lambda: bl.events.create_event(new_event(("elaad-group",))))
seen = check("elaad: the targeted VEN sees the event as written", lambda: ven.events.get_event_by_id(event.id))
check("elaad: … values and times survive", lambda: expect(seen.intervals[0].payloads[0].values == (4.5,) and seen.interval_period.start == start and seen.interval_period.duration == timedelta(minutes=15), repr(seen)))
check("elaad: … in the list of its program", lambda: expect([e.id for e in ven.events.get_events(None, None, program.id)] == [event.id], "list"))
check("elaad: the other VEN sees nothing", lambda: expect(other.events.get_events(None, None, program.id) == (), "another VEN sees the event"))
check("elaad: business logic changes the event", lambda: expect(
    bl.events.update_event_by_id(event.id, EventUpdate(**{**event.model_dump(include=set(EventUpdate.model_fields)), "programID": program.id, "event_name": "changed"})).event_name == "changed", "name"))


def usage():
    return ven.reports.create_report(NewReport(
        eventID=event.id, client_name="elaad-ven-1",
        resources=(ReportResource(resource_name="heat-pump", interval_period=IntervalPeriod(start=start, duration=timedelta(minutes=15)),
                                  intervals=(Interval(id=0, payloads=(ReportPayload(type=ReportPayloadType.USAGE, values=(1.25,)),)),)),)))


report = check("elaad: VEN reports usage", usage)
check("elaad: business logic reads the report", lambda: expect(bl.reports.get_report_by_id(report.id).resources[0].intervals[0].payloads[0].values == (1.25,), "value"))
check("elaad: the other VEN does not", lambda: expect(report.id not in [r.id for r in other.reports.get_reports(None, program.id, None, None)], "another VEN sees the report"))
check("elaad: notifiers name MQTT", lambda: expect(ven.notifiers.get_notifiers() is not None, "notifiers"))
check("elaad: topics of its events", lambda: expect(mine.id in ven.notifiers.get_event_topics_for_ven(mine.id).topics.all, "topics"))

# The 3.0.1 half of that library takes its roots from REQUESTS_CA_BUNDLE only.
old = url.replace("/3.1.1", "/3.0.1")
v301 = {"version": OADRVersion.OADR_301, "token_url": f"{old}/auth/token"}
bl301 = check("elaad 3.0.1: business logic connects", lambda: BusinessLogicHttpClientFactory.create_http_bl_client(old, "bl_client", "1001", **v301))
ven301 = check("elaad 3.0.1: VEN connects", lambda: VirtualEndNodeHttpClientFactory.create_http_ven_client(old, "ven_client", "999", **v301))
program301 = check("elaad 3.0.1: creates a program with flat fields", lambda: bl301.programs.create_program(NewProgram301(program_name="elaad-301", country="NL", retailer_name="DSO")))
check("elaad 3.0.1: … that come back", lambda: expect(bl301.programs.get_program_by_id(program301.id).country == "NL", "country"))
event301 = check("elaad 3.0.1: creates an event", lambda: bl301.events.create_event(NewEvent301(
    programID=program301.id, event_name="old", interval_period=IntervalPeriod(start=start, duration=timedelta(hours=1)),
    intervals=(Interval(id=0, payloads=(EventPayload301(type=EventPayloadType301.PRICE, values=(0.25,)),)),))))
check("elaad 3.0.1: the VEN reads it", lambda: expect(event301.id in [e.id for e in ven301.events.get_events(None, None, program301.id)], "event"))
check("elaad: the same event over 3.1", lambda: expect(ven.events.get_event_by_id(event301.id).event_name == "old", "event"))
check("elaad: cleans up", lambda: (bl.programs.delete_program_by_id(program.id), bl301.programs.delete_program_by_id(program301.id), ven.vens.delete_ven_by_id(mine.id), other.vens.delete_ven_by_id(theirs.id)))
end()
