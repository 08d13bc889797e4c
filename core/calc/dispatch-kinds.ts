import { evAvailability } from '#core/availability/ev.js'
import { batteryAvailability, thermostatAvailability } from '#core/availability/storage.js'
import { participationCurve } from '#core/availability/participation.js'
import { allocate, type AllocateInput, type Allocation } from '#core/dispatch/allocate.js'
import { overSubscribe, z95 } from '#core/dispatch/over-subscribe.js'
import { stagger } from '#core/dispatch/stagger.js'
import { activePowerLimit, ampereLimit, deliveringPositive } from '#core/quantity/conversion.js'
import { insufficient, type Kind, type Outcome } from '#core/calc/kind.js'
import { numbers, texts, type Reader } from '#core/calc/read.js'

const caps = (input: Reader): Record<string, number> =>
  Object.fromEntries((input.maybe('caps_W', (r) => r.entries()) ?? []).map(([node, r]) => [node, r.whole()]))

const traceOf = (a: Allocation): unknown =>
  ({ mode: a.mode, solver: a.solver, allocated_W: a.allocated_W, shortfall_W: a.shortfall_W, bindingConstraints: a.bindingConstraints, skipped: a.skipped })

function allocateMeritKind(input: Reader): Outcome {
  const wish = input.maybe('mode', (r) => r.text()) ?? 'merit'
  if (wish !== 'merit' && wish !== 'rotation') return input.get('mode').fail(`must be merit or rotation, got ${JSON.stringify(wish)}`)
  const order: AllocateInput = {
    mode: wish, target_W: input.get('target_W').whole(), caps_W: caps(input), maxOverDelivery_W: input.maybe('maxOverDelivery_W', (r) => r.whole()),
    candidates: input.get('assets').list().map((a) => ({
      id: a.get('id').text(), avail_W: a.get('avail_W').whole(), cost: a.maybe('cost', (r) => r.decimal()), path: a.maybe('path', texts),
      min_W: a.maybe('min_W', (r) => r.whole()), dispatches: a.maybe('dispatches', (r) => r.whole()), lastDispatchAt: a.maybe('lastDispatchAt', (r) => r.whole()), group: a.maybe('group', (r) => r.text()),
    })),
  }
  const a = allocate(order)
  return { result: { allocation: Object.fromEntries(a.allocation), allocated_W: a.allocated_W, shortfall_W: a.shortfall_W }, trace: traceOf(a) }
}

function allocateProportionalKind(input: Reader): Outcome {
  const paths = new Map((input.maybe('path', (r) => r.entries()) ?? []).map(([id, r]) => [id, texts(r)]))
  const candidates = input.get('avail_W').entries().map(([id, r]) => ({ id, avail_W: r.whole(), path: paths.get(id) }))
  const a = allocate({ mode: 'proportional', target_W: input.get('target_W').whole(), caps_W: caps(input), candidates })
  return { result: Object.fromEntries(a.allocation), trace: traceOf(a) }
}

function oversubscribeKind(input: Reader): Outcome {
  const target = input.get('target_kW').number(), z = input.maybe('z', (r) => r.number()) ?? z95
  const fleet = input.get('fleet').list().map((g) => {
    const p = g.get('p').number()
    if (p < 0 || p > 1) g.get('p').fail('must be a probability between 0 and 1')
    return { power: g.get('kW').number(), p, count: g.maybe('count', (r) => r.whole()) ?? 1 }
  })
  function* members(): Generator<{ power: number; p: number }> {
    for (const g of fleet) for (let i = 0; i < g.count; i++) yield g
  }
  const o = overSubscribe(target, members(), z)
  const short = o.shortfall > 0 ? { shortfall_kW: o.shortfall } : {}
  return { result: { count: o.chosen.length, expected_kW: o.expected, lower_kW: o.lower, nominal_kW: o.nominal, ...short }, trace: { z, poolExhausted: o.shortfall > 0 } }
}

function evKind(input: Reader): Outcome {
  const cars = Array.isArray(input.value) ? input.list() : [input]
  const result = cars.map((c) => {
    const n = (name: string): number => c.get(name).number(), start = n('s'), end = n('e')
    if (!(start < end)) c.fail('must have an event that ends (e) after it starts (s)')
    const efficiency = c.maybe('eff', (r) => r.number()) ?? 1
    if (!(efficiency > 0)) c.get('eff').fail('must be above 0')
    return evAvailability({ soc: n('soc'), socTarget: n('tgt'), capacity_kWh: n('cap'), efficiency, max_kW: n('P'), now: n('now'), departure: n('dep') }, { start, end })
  })
  return { result, trace: { rule: 'CORE-031', cars: cars.length } }
}

function storageKind(input: Reader): Outcome {
  const battery = input.maybe('battery', (b) => {
    const n = (name: string): number => b.get(name).number()
    return { battery_kW: batteryAvailability({ soc: n('soc'), reserve: n('reserve'), capacity_kWh: n('cap'), effDis: b.maybe('effDis', (r) => r.number()) ?? 1, maxDischarge_kW: n('Pdis'), duration_h: positive(b.get('durH')), chargingNow_kW: b.maybe('chargingNow_kW', (r) => r.number()) ?? 0 }) }
  })
  const thermostat = input.maybe('thermostat', (t) => {
    const n = (name: string): number => t.get(name).number()
    const limit = t.has('Tmax') ? n('Tmax') : n('Tmin')
    const found = thermostatAvailability({ rated_kW: n('rated_kW'), duty: n('duty'), temperature: n('T'), limit, drift_per_h: n('drift_C_per_h'), duration_h: positive(t.get('durH')) })
    return { thermostatComfortHours: found.comfortHours, thermostat_kW: found.available_kW }
  })
  if (!battery && !thermostat) return input.fail('must have a battery or a thermostat')
  return { result: { ...battery, ...thermostat }, trace: { rules: ['CORE-032', 'CORE-033'] } }
}

function positive(r: Reader): number {
  const v = r.number()
  return v > 0 ? v : r.fail('must be above 0')
}

function unitsKind(input: Reader): Outcome {
  const ocpp = input.maybe('ocpp', (r) => r.list().map((o) => ampereLimit(o.get('limit_W').number(), o.get('voltage').number(), o.get('phases').number())))
  const sep2 = input.maybe('sep2ActivePower_W', (r) => r.list().map((w) => activePowerLimit(w.whole())))
  const target = input.maybe('coreSetpoint_W', (r) => r.list().map((w) => deliveringPositive(w.whole())))
  return {
    result: { ...(ocpp ? { ocpp_A: ocpp } : {}), ...(sep2 ? { sep2: sep2.map(({ multiplier, value }) => ({ multiplier, value })) } : {}), ...(target ? { opModTargetW_W: target } : {}) },
    trace: { rules: ['CORE-094', 'CORE-095', 'CORE-098'], inexact: (sep2 ?? []).filter((s) => !s.exact).length },
  }
}

function staggerKind(input: Reader): Outcome {
  const n = (name: string): number => input.get(name).number()
  const plan = stagger({ loads: input.get('loads').whole(), reboundPerLoad_kW: n('reboundPerLoad_kW'), limitPerWave_kW: n('limitPerWave_kW'), waveMinutes: n('waveMinutes'), reboundMinutes: n('reboundMinutes') })
  if (!plan) return { result: { status: 'INFEASIBLE', reasons: ['one load alone rebounds above the limit of a wave'] }, trace: { rule: 'CORE-082' } }
  return { result: plan, trace: { rule: 'CORE-082' } }
}

function optoutKind(input: Reader): Outcome {
  const curve = participationCurve(numbers(input.get('participation')))
  if (!curve) return insufficient(['at least two events with participation above zero are needed'])
  const { p0, lam, forecastNext, firstBelowHalf, dropped } = curve
  return { result: { p0, lam, forecastNext, firstBelowHalf }, trace: { rule: 'CORE-039', droppedEvents: dropped } }
}

export const dispatchKinds: readonly Kind[] = [
  { kind: 'allocate-merit', reads: '{target_W, caps_W{node:W}, assets:[{id,cost,avail_W,path[],dispatches,min_W}], maxOverDelivery_W?}', run: allocateMeritKind },
  { kind: 'allocate-prop', reads: '{target_W, avail_W{id:W}, caps_W?, path?{id:[]}}', run: allocateProportionalKind },
  { kind: 'oversubscribe', reads: '{target_kW, z?, fleet:[{kW,p,count}]}', run: oversubscribeKind },
  { kind: 'avail-ev', reads: '[{soc,tgt,cap,eff,P,now,s,e,dep}]', run: evKind },
  { kind: 'avail-storage', reads: '{battery{…}, thermostat{…}}', run: storageKind },
  { kind: 'units', reads: '{ocpp:[{limit_W,voltage,phases}], sep2ActivePower_W[], coreSetpoint_W[]}', run: unitsKind },
  { kind: 'stagger', reads: '{loads, reboundPerLoad_kW, limitPerWave_kW, waveMinutes, reboundMinutes}', run: staggerKind },
  { kind: 'optout-curve', reads: '{participation[]}', run: optoutKind },
]

