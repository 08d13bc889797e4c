"""A charge point made with PyPI's `ocpp` library, unmodified, for OCPP 1.6 and 2.0.1: boot, transaction, event, stop over wss.

It prints what it lived through as one line of JSON. Usage: charge_point.py 1.6|2.0.1 URL ID PASSWORD CA_FILE
"""
import asyncio
import base64
import json
import ssl
import sys
from datetime import datetime, timezone

import websockets
from ocpp.routing import after, on

version, url, identity, password, ca = sys.argv[1:6]
lived = {"library": "ocpp", "version": version}
profiles = asyncio.Queue()
cleared = asyncio.Queue()


def now():
    return datetime.now(timezone.utc).isoformat()


if version == "1.6":
    from ocpp.v16 import ChargePoint as Base, call, call_result

    class ChargePoint(Base):
        @on("SetChargingProfile")
        async def on_set(self, connector_id, cs_charging_profiles, **_):
            await profiles.put(cs_charging_profiles)
            return call_result.SetChargingProfile(status="Accepted")

        @on("ClearChargingProfile")
        async def on_clear(self, **wanted):
            await cleared.put(wanted)
            return call_result.ClearChargingProfile(status="Accepted")

        @on("GetConfiguration")
        async def on_get(self, **_):
            return call_result.GetConfiguration(configuration_key=[
                {"key": "ChargeProfileMaxStackLevel", "readonly": True, "value": "8"},
                {"key": "ChargingScheduleAllowedChargingRateUnit", "readonly": True, "value": "Current,Power"},
            ])

        async def live(self):
            boot = await self.call(call.BootNotification(charge_point_model="Outsider", charge_point_vendor="PyPI"))
            lived["boot"] = boot.status
            await self.call(call.StatusNotification(connector_id=1, error_code="NoError", status="Preparing"))
            lived["authorize"] = (await self.call(call.Authorize(id_tag="DEADBEEF"))).id_tag_info["status"]
            started = await self.call(call.StartTransaction(connector_id=1, id_tag="DEADBEEF", meter_start=1000, timestamp=now()))
            lived["start"] = started.id_tag_info["status"]
            await self.call(call.MeterValues(connector_id=1, transaction_id=started.transaction_id, meter_value=[{"timestamp": now(), "sampledValue": [
                {"value": "1000", "measurand": "Energy.Active.Import.Register", "unit": "Wh"}, {"value": "11.0", "measurand": "Power.Active.Import", "unit": "kW"}]}]))
            print("ready", flush=True)
            profile = await asyncio.wait_for(profiles.get(), 60)
            lived["profile"] = profile.get("charging_profile_purpose")
            lived["limit"] = profile["charging_schedule"]["charging_schedule_period"][0]["limit"]
            lived["validTo"] = profile.get("valid_to")
            await asyncio.wait_for(cleared.get(), 60)
            lived["cleared"] = True
            stopped = await self.call(call.StopTransaction(transaction_id=started.transaction_id, meter_stop=2500, timestamp=now(), reason="Local", id_tag="DEADBEEF"))
            lived["stop"] = stopped.id_tag_info["status"]
            await self.call(call.StatusNotification(connector_id=1, error_code="NoError", status="Available"))
            lived["heartbeat"] = bool((await self.call(call.Heartbeat())).current_time)
else:
    from ocpp.v201 import ChargePoint as Base, call, call_result

    class ChargePoint(Base):
        @on("SetChargingProfile")
        async def on_set(self, evse_id, charging_profile, **_):
            await profiles.put(charging_profile)
            return call_result.SetChargingProfile(status="Accepted")

        @on("ClearChargingProfile")
        async def on_clear(self, **wanted):
            await cleared.put(wanted)
            return call_result.ClearChargingProfile(status="Accepted")

        @on("GetBaseReport")
        async def on_base_report(self, request_id, **_):
            return call_result.GetBaseReport(status="Accepted")

        @after("GetBaseReport")
        async def report(self, request_id, **_):
            await self.call(call.NotifyReport(request_id=request_id, generated_at=now(), seq_no=0, tbc=False, report_data=[{
                "component": {"name": "SmartChargingCtrlr"}, "variable": {"name": "RateUnit"},
                "variable_attribute": [{"type": "Actual", "value": "A,W"}]}]))
            lived["report"] = True

        @on("GetChargingProfiles")
        async def on_profiles(self, **_):
            return call_result.GetChargingProfiles(status="NoProfiles")

        @on("GetCompositeSchedule")
        async def on_composite(self, **_):
            return call_result.GetCompositeSchedule(status="Rejected")

        async def event(self, kind, seq, trigger, wh, state, **more):
            return await self.call(call.TransactionEvent(
                event_type=kind, timestamp=now(), trigger_reason=trigger, seq_no=seq, transaction_info={"transactionId": "outsider-1", "chargingState": state},
                evse={"id": 1, "connectorId": 1}, meter_value=[{"timestamp": now(), "sampledValue": [
                    {"value": wh, "unitOfMeasure": {"unit": "Wh"}}, {"value": 11.0, "measurand": "Power.Active.Import", "unitOfMeasure": {"unit": "kW"}}]}], **more))

        async def live(self):
            boot = await self.call(call.BootNotification(charging_station={"model": "Outsider", "vendorName": "PyPI"}, reason="PowerUp"))
            lived["boot"] = boot.status
            await self.call(call.StatusNotification(timestamp=now(), connector_status="Occupied", evse_id=1, connector_id=1))
            token = {"idToken": "DEADBEEF", "type": "ISO14443"}
            lived["authorize"] = (await self.call(call.Authorize(id_token=token))).id_token_info["status"]
            started = await self.event("Started", 0, "Authorized", 1000, "Charging", id_token=token)
            lived["start"] = started.id_token_info["status"]
            await self.event("Updated", 1, "MeterValuePeriodic", 1000, "Charging")
            print("ready", flush=True)
            profile = await asyncio.wait_for(profiles.get(), 60)
            lived["profile"] = profile.get("charging_profile_purpose")
            lived["limit"] = profile["charging_schedule"][0]["charging_schedule_period"][0]["limit"]
            lived["validTo"] = profile.get("valid_to")
            await asyncio.wait_for(cleared.get(), 60)
            lived["cleared"] = True
            stopped = await self.event("Ended", 2, "StopAuthorized", 2500, "Idle", id_token=token)
            lived["stop"] = stopped.id_token_info["status"]
            await self.call(call.StatusNotification(timestamp=now(), connector_status="Available", evse_id=1, connector_id=1))
            lived["heartbeat"] = bool((await self.call(call.Heartbeat())).current_time)


async def main():
    basic = base64.b64encode(f"{identity}:{password}".encode()).decode()
    trust = ssl.create_default_context(cafile=ca)
    async with websockets.connect(f"{url}/{identity}", subprotocols=[f"ocpp{version}"], ssl=trust, additional_headers={"Authorization": f"Basic {basic}"}) as ws:
        lived["subprotocol"] = ws.subprotocol
        station = ChargePoint(identity, ws)
        listening = asyncio.create_task(station.start())
        await station.live()
        listening.cancel()
    print(json.dumps(lived), flush=True)


asyncio.run(main())
