import * as fc from 'fast-check'
import t from 'tap'
import { evAvailability } from '#core/availability/ev.js'
import { participationCurve } from '#core/availability/participation.js'
import { newestBelief, pinball, portfolioQuantiles, promise, rateOf, responseRate } from '#core/availability/portfolio.js'
import { batteryAvailability, recovered, solarAvailability, thermostatAvailability } from '#core/availability/storage.js'

const car = { soc: 0.2, socTarget: 0.8, capacity_kWh: 60, efficiency: 0.9, max_kW: 7, now: 17, departure: 31 }

t.test('CORE-031 an EV that cannot make its departure is infeasible and never curtailed', async (t) => {
  t.match(evAvailability({ ...car, departure: 20 }, { start: 18, end: 20 }), { feasible: false, availableAvg_kW: 0 })
  t.match(evAvailability({ ...car, soc: 0.9 }, { start: 18, end: 20 }), { need_kWh: 0, baselineInEvent_kWh: 0, availableAvg_kW: 0, feasible: true })
  fc.assert(fc.property(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 18, max: 40, noNaN: true }), (soc, departure) => {
    const a = evAvailability({ ...car, soc, departure }, { start: 18, end: 20 })
    return a.availableAvg_kW >= 0 && a.availableAvg_kW <= 7 + 1e-9 && a.availableAvg_kW * 2 <= Math.max(0, a.slack_kWh) + 1e-9
  }))
})

t.test('CORE-032 CORE-033 CORE-034 reserve, comfort and sun', async (t) => {
  const b = { soc: 0.1, reserve: 0.2, capacity_kWh: 10, effDis: 0.9, maxDischarge_kW: 5, duration_h: 1, chargingNow_kW: 2 }
  t.equal(batteryAvailability(b), 2, 'below the reserve only charging can be stopped')
  t.equal(batteryAvailability({ ...b, soc: 1 }), 7)
  const h = { rated_kW: 4, duty: 0.5, temperature: 22, limit: 24, drift_per_h: 1, duration_h: 4 }
  t.same(thermostatAvailability(h), { comfortHours: 2, available_kW: 1 })
  t.same(thermostatAvailability({ ...h, drift_per_h: 0 }), { comfortHours: null, available_kW: 2 })
  t.same(thermostatAvailability({ ...h, temperature: 25 }), { comfortHours: 0, available_kW: 0 })
  t.same([recovered(undefined, 10, 0), recovered(100, 10, 109), recovered(100, 10, 110)], [true, false, true])
  t.same([solarAvailability({ forecastExport_kW: 5, wantsLessExport: false }), solarAvailability({ forecastExport_kW: 5, wantsLessExport: true, absorbedByBattery_kW: 2 })], [0, 3])
})

t.test('CORE-035 promises never add up to more than there is; the second ask gets the rest', async (t) => {
  t.same(promise(5000, [{ event: 'a', asked_W: 3000 }, { event: 'b', asked_W: 3000 }, { event: 'c', asked_W: 1 }]).map((p) => p.promised_W), [3000, 2000, 0])
})

t.test('CORE-036 response rates: (s+1)/(n+2), unknown devices use their class', async (t) => {
  t.equal(responseRate(3, 4), 4 / 6)
  t.equal(rateOf(undefined, { successes: 8, calls: 8 }), 0.9)
  t.equal(rateOf({ successes: 0, calls: 0 }, { successes: 8, calls: 8 }), 0.9)
  t.equal(rateOf({ successes: 0, calls: 2 }, { successes: 8, calls: 8 }), 0.25)
})

t.test('CORE-030 CORE-037 the newest belief before the decision counts; pinball loss', async (t) => {
  t.same(newestBelief([{ issuedAt: 5 }, { issuedAt: 9 }, { issuedAt: 12 }], 10), { issuedAt: 9 })
  t.equal(newestBelief([{ issuedAt: 12 }], 10), undefined)
  t.same([pinball(0.9, 10, 12), pinball(0.9, 12, 10)].map((v) => Math.round(v * 10) / 10), [1.8, 0.2])
})

t.test('CORE-038 portfolio P10 lies above the sum of the P10s and below the P50; correlation widens it', async (t) => {
  const members = Array.from({ length: 100 }, () => ({ p10: 1, p50: 3, p90: 5 })), q = portfolioQuantiles(members)
  t.equal(q.p50, 300)
  t.ok(Math.abs(q.p10 - 280) < 1e-9, 'sd of 100 independent ones grows by 10')
  t.ok(Math.abs(portfolioQuantiles(members, 1).p10 - 100) < 1e-6, 'fully correlated: the sum of the P10s')
})

t.test('CORE-039 zero participation is dropped and reported; a curve that does not fall has no such event', async (t) => {
  t.match(participationCurve([0.9, 0, 0.729]), { dropped: [2], firstBelowHalf: 7 })
  t.match(participationCurve([0.8, 0.8, 0.8]), { firstBelowHalf: null })
  t.match(participationCurve([0.4, 0.3]), { firstBelowHalf: 1 })
  t.equal(participationCurve([0.9]), undefined)
  t.equal(participationCurve([1, 0.5])!.firstBelowHalf, 3, 'exactly one half is not below it')
})
