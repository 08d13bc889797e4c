import { Type, type Static } from 'typebox'
import type { PointDevice } from '#core/dispatch/point-model.js'
import { proveSchedule, schedulePoint } from '#core/dispatch/point-schedule.js'
import { Refusal } from '#core/error.js'
import { present } from '#core/permission.js'
import { wattsFromKW } from '#core/quantity/power.js'
import { dispatchers } from '#core/operator/roles.js'
import { ok, type OperatorRoute } from '#core/operator/route.js'
import { closed, kW, reference, time } from '#core/operator/schema.js'
import { instantOf, rfc3339 } from '#core/operator/wire.js'

const kWs = Type.Array(Type.Number({ minimum: -1e6, maximum: 1e6 }), { minItems: 1, maxItems: 200 }), flags = Type.Array(Type.Boolean(), { maxItems: 200 }), kWh = Type.Number({ minimum: 0, maximum: 1e9 })
const device = Type.Union([
  closed({ id: reference, kind: Type.Literal('ev'), max_kW: kW, need_kWh: kWh, present: flags, base_kW: kWs }),
  closed({ id: reference, kind: Type.Literal('battery'), capacity_kWh: kWh, stored_kWh: kWh, reserve_kWh: kWh, maxCharge_kW: kW, maxDischarge_kW: kW, efficiency: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 1 })) }),
  closed({ id: reference, kind: Type.Literal('solar'), forecast_kW: kWs }),
  closed({ id: reference, kind: Type.Literal('thermal'), expected_kW: kWs, comfort_kWh: kWh }),
])
const body = closed({
  start: time, intervalMinutes: Type.Integer({ minimum: 1, maximum: 1440 }), others_kW: kWs, change_kW: kWs, devices: Type.Array(device, { minItems: 1, maxItems: 50 }),
  allowCrossCharge: Type.Optional(Type.Boolean()), preference: Type.Optional(Type.Array(reference, { maxItems: 50 })), neverUse: Type.Optional(Type.Record(Type.String({ maxLength: 200 }), flags)),
})
type Body = Static<typeof body>

const watts = (list: readonly number[]): number[] => list.map(wattsFromKW)
function deviceOf(d: Body['devices'][number]): PointDevice {
  switch (d.kind) {
    case 'ev': return { id: d.id, kind: 'ev', max_W: wattsFromKW(d.max_kW), need_Wh: d.need_kWh * 1000, present: d.present, base_W: watts(d.base_kW) }
    case 'battery': return { id: d.id, kind: 'battery', capacity_Wh: d.capacity_kWh * 1000, stored_Wh: d.stored_kWh * 1000, reserve_Wh: d.reserve_kWh * 1000, maxCharge_W: wattsFromKW(d.maxCharge_kW), maxDischarge_W: wattsFromKW(d.maxDischarge_kW), efficiency: d.efficiency ?? 1 }
    case 'solar': return { id: d.id, kind: 'solar', forecast_W: watts(d.forecast_kW) }
    case 'thermal': return { id: d.id, kind: 'thermal', expected_W: watts(d.expected_kW), comfort_Wh: d.comfort_kWh * 1000 }
  }
}

/** CORE-073, CORE-074: a plan for everything behind one connection, under the limits that the service point has. It sends nothing. */
export const scheduleRoutes: readonly OperatorRoute[] = [
  { method: 'POST', path: 'service-points/:id/schedule', summary: 'Plan car, battery, sun and heat pump behind one connection over a horizon (`change_kW` of the connection, negative = less import); sends nothing', roles: dispatchers, body,
    example: {
      start: '2026-07-15T22:00:00Z', intervalMinutes: 60, others_kW: [1, 1, 1], change_kW: [-5, 0, 0], preference: ['car', 'battery'],
      devices: [{ id: 'car', kind: 'ev', max_kW: 7, need_kWh: 7, present: [true, true, true], base_kW: [7, 0, 0] }, { id: 'battery', kind: 'battery', capacity_kWh: 10, stored_kWh: 8, reserve_kWh: 2, maxCharge_kW: 5, maxDischarge_kW: 5 }],
    },
    read: async (ask) => {
      const b = ask.body as Body, point = present(await ask.core.database.stores.servicePoints.find(ask.caller.tenant, ask.params.id!), 'service point', ask.params.id!)
      const start = instantOf(b.start, point.timeZone ?? 'utc', '/start'), step = b.intervalMinutes * 60
      const input = {
        hours: b.others_kW.map(() => b.intervalMinutes / 60), others_W: watts(b.others_kW), delta_W: watts(b.change_kW), importLimit_W: point.importLimit_W, exportLimit_W: point.exportLimit_W, devices: b.devices.map(deviceOf),
        allowCrossCharge: b.allowCrossCharge, preference: b.preference, neverUse: b.neverUse,
      }
      const plan = await schedulePoint(input), wrong = plan.solver === 'highs' ? proveSchedule(input, plan) : []
      if (wrong.length > 0) throw new Refusal('conflict', `the plan does not hold: ${wrong.slice(0, 3).join('; ')}`)
      return ok({
        servicePoint: point.id, solver: plan.solver, flags: plan.flags, bindingConstraints: plan.bindingConstraints, unmet_kWh: Object.fromEntries(Object.entries(plan.unmet_Wh).map(([id, Wh]) => [id, Wh / 1000])),
        intervals: b.others_kW.map((_, t) => ({
          start: rfc3339(start + t * step), end: rfc3339(start + (t + 1) * step), net_kW: plan.net_W[t]! / 1000, shortfall_kW: plan.shortfall_W[t]! / 1000, devices: Object.fromEntries([...plan.load_W].map(([id, load]) => [id, load[t]! / 1000])),
        })),
      })
    } },
]
