import * as fc from 'fast-check'
import t from 'tap'
import type { ChargingProfile } from '#csms/wire/charging-profile.js'
import { amperes, limitOf, wattsOf } from './convert.js'
import { breakpoints, effectiveLimit, type Installed } from './composite.js'
import { nextRung, rungKey, type Rung } from './ladder.js'
import { curtailed, type LedgerEntry } from './ledger.js'
import { draft, neverRaising } from './profile.js'
import { placeFor, stackLevel } from './purpose.js'
import { mismatch } from './verification.js'
import { count, energyIn, newRegister } from '#csms/register.js'
import { availabilityOf } from '#csms/availability.js'
import { missing, newTransaction, take } from '#csms/transaction.js'
import { phasesWithCurrent, samplesOf, totals } from '#csms/metering.js'
import { isDateTime } from '#csms/rpc/schema.js'
import { stampMs } from '#csms/time.js'

const three = { voltage: 230, phases: 3, current: 'AC' } as const, one = { voltage: 230, phases: 1, current: 'AC' } as const

t.test('OCPP-230, 231, CORE-098 V22 watts to amperes: tenths, never up, below 6 A a pause', async (t) => {
  t.equal(amperes(6900, three), 10)
  t.equal(amperes(3680, one), 16)
  t.equal(limitOf(4139, 'A', three), 0)
  t.equal(limitOf(4140, 'A', three), 6)
  t.equal(limitOf(2000, 'A', three, true), 6, 'minRate')
  t.equal(limitOf(2000, 'A', { ...three, current: 'DC' }), 2.8, 'DC has no 6 A rule')
  t.equal(limitOf(2000.9, 'W', three), 2000)
  t.equal(limitOf(-5, 'W', three), 0, 'OCPP-240')
  fc.assert(fc.property(fc.integer({ min: 0, max: 400_000 }), fc.constantFrom(1, 3), fc.constantFrom(120, 230, 277), (W, phases, voltage) => {
    const e = { voltage, phases, current: 'AC' as const }, A = limitOf(W, 'A', e)
    return A === 0 || (wattsOf(A, e) <= W + 1 && Math.abs(A * 10 - Math.round(A * 10)) < 1e-9)
  }))
})

t.test('OCPP-227, 229, CORE-099 purpose and stack level from one table, ExternalConstraints never', async (t) => {
  t.same(placeFor({ evseId: undefined, running: undefined }), { purpose: 'ChargingStationMaxProfile', evseId: 0 })
  t.same(placeFor({ evseId: 2, running: undefined }), { purpose: 'TxDefaultProfile', evseId: 2 })
  t.same(placeFor({ evseId: 2, running: { transactionId: 'T', hasTxProfile: false } }), { purpose: 'TxDefaultProfile', evseId: 2 })
  t.same(placeFor({ evseId: 2, running: { transactionId: 'T', hasTxProfile: true } }), { purpose: 'TxProfile', evseId: 2, transactionId: 'T' })
  t.same([0, 1, 2, 5].map((L) => (['baseline', 'customer', 'event', 'emergency'] as const).map((use) => stackLevel(use, L))), [[0, 0, 0, 0], [0, 1, 1, 1], [0, 1, 1, 2], [0, 1, 4, 5]])
})

const T = Date.UTC(2026, 0, 5)
const at = (h: number): string => new Date(T + h * 3600_000).toISOString()
const p = (purpose: ChargingProfile['chargingProfilePurpose'], level: number, limit: number, more: Partial<ChargingProfile> = {}, schedule: object = {}): ChargingProfile => ({
  id: 1, stackLevel: level, chargingProfilePurpose: purpose, chargingProfileKind: 'Absolute',
  chargingSchedule: [{ id: 1, startSchedule: at(0), chargingRateUnit: 'W', chargingSchedulePeriod: [{ startPeriod: 0, limit }], ...schedule }], ...more,
})
const here = (profile: ChargingProfile, evseId = 1): Installed => ({ evseId, profile })
const query = { evseId: 1, transactionId: 'T', startedAt: T + 3600_000, electrical: three }

t.test('OCPP §11, 184, 188, 190, 202 the composite: purposes merge by the lowest, levels replace, gaps fall back', async (t) => {
  const base = here(p('TxDefaultProfile', 0, 11_000), 0)
  t.equal(effectiveLimit([], T, query), undefined)
  t.equal(effectiveLimit([base], T, query), 11_000)
  t.equal(effectiveLimit([base, here(p('TxDefaultProfile', 2, 15_000))], T, query), 15_000, 'a higher level replaces, even upwards')
  t.equal(effectiveLimit([base, here(p('ChargingStationMaxProfile', 0, 9000), 0)], T, query), 9000)
  t.equal(effectiveLimit([base, here(p('ChargingStationExternalConstraints', 0, 500), 0)], T, query), 500)
  t.equal(effectiveLimit([base, here(p('TxProfile', 1, 20_000, { transactionId: 'T' }))], T, query), 20_000, 'TxProfile replaces the default')
  t.equal(effectiveLimit([base, here(p('TxProfile', 1, 20_000, { transactionId: 'other' }))], T, query), 11_000)
  t.equal(effectiveLimit([base, here(p('TxProfile', 1, 20_000, { transactionId: 'T' }, { duration: 3600 }))], T + 3600_000, query), 11_000, 'after its end the default rules again')
  t.equal(effectiveLimit([here(p('TxDefaultProfile', 0, 1, { validTo: at(1) }))], T + 3600_000, query), undefined, '[validFrom, validTo)')
  t.equal(effectiveLimit([here(p('TxDefaultProfile', 0, 1, { validFrom: at(1) }))], T + 3600_000, query), 1)
  t.equal(effectiveLimit([here(p('TxDefaultProfile', 0, 10, {}, { chargingRateUnit: 'A' }))], T, query), 6900)
  const daily = here(p('TxDefaultProfile', 0, 0, { chargingProfileKind: 'Recurring', recurrencyKind: 'Daily' }, { duration: 7200, chargingSchedulePeriod: [{ startPeriod: 0, limit: 5 }, { startPeriod: 3600, limit: 6 }] }))
  t.same([0, 1, 2, 24, 25, 49].map((h) => effectiveLimit([daily], T + h * 3600_000, query)), [5, 6, undefined, 5, 6, 6])
  const relative = here({ ...p('TxDefaultProfile', 0, 7), chargingProfileKind: 'Relative', chargingSchedule: [{ id: 1, chargingRateUnit: 'W', duration: 60, chargingSchedulePeriod: [{ startPeriod: 0, limit: 7 }] }] })
  t.same([0, 1, 2].map((h) => effectiveLimit([relative], T + h * 3600_000, query)), [undefined, 7, undefined])
  t.same(breakpoints([daily], T, T + 26 * 3600_000).map((ms) => (ms - T) / 3600_000), [0, 1, 2, 24, 25])
})

t.test('OCPP-182, 229, 233, CORE-100 a draft: first period 0, equal limits joined, validTo set, parts abut, never raising', async (t) => {
  const s = T / 1000
  const ceilings = [1000, 1000, 2000, 3000].map((W, i) => ({ start: s + i * 900, end: s + (i + 1) * 900, W }))
  const common = { id: 1_000_000, place: { purpose: 'TxDefaultProfile', evseId: 1 } as const, stackLevel: 2, unit: 'W' as const, electrical: three, validFrom: s, validTo: s + 3660, numberPhases: undefined }
  const whole = draft({ ...common, ceilings, periods: 24 })
  t.match(whole.profile, { validTo: new Date((s + 3660) * 1000).toISOString(), chargingSchedule: [{ duration: 3600, chargingSchedulePeriod: [{ startPeriod: 0, limit: 1000 }, { startPeriod: 1800, limit: 2000 }, { startPeriod: 2700, limit: 3000 }] }] })
  t.equal(whole.continuesAt, undefined)
  const part = draft({ ...common, ceilings, periods: 2 })
  t.match(part.profile.chargingSchedule[0], { duration: 2700, chargingSchedulePeriod: [{ startPeriod: 0 }, { startPeriod: 1800 }] })
  t.equal(part.continuesAt, s + 1800)
  t.same(neverRaising([{ start: 0, end: 100, W: 50 }], [40], (x) => (x < 40 ? 20 : undefined)), [{ start: 0, end: 40, W: 20 }, { start: 40, end: 100, W: 50 }])
})

t.test('OCPP-228 the ladder comes to an end whatever is rejected, and no rung comes twice', async (t) => {
  const facts = { running: [{ evseId: 1, transactionId: 'T' }], evses: [1, 2], units: [], needed: 24 }
  fc.assert(fc.property(fc.array(fc.constantFrom(undefined, 'UnsupportedRateUnit', 'InvalidStackLevel', 'DuplicateProfile', 'TooManyElements', 'TxNotFound', 'InvalidSchedule'), { minLength: 80, maxLength: 80 }), fc.boolean(), (reasons, station) => {
    let rung: Rung | undefined = { places: [station ? { purpose: 'ChargingStationMaxProfile', evseId: 0 } : { purpose: 'TxDefaultProfile', evseId: 1 }], unit: 'W', stackLevel: 4, periods: 24 }
    const tried = new Set<string>()
    for (const reason of reasons) {
      if (!rung) return true
      if (tried.has(rungKey(rung)) || rung.places.some((place) => (place.purpose as string) === 'ChargingStationExternalConstraints')) return false
      tried.add(rungKey(rung))
      rung = nextRung(rung, reason, facts, tried)
    }
    return rung === undefined
  }))
  const max: Rung = { places: [{ purpose: 'ChargingStationMaxProfile', evseId: 0 }], unit: 'W', stackLevel: 2, periods: 1 }
  t.same(nextRung(max, undefined, facts, new Set())?.places, [{ purpose: 'TxDefaultProfile', evseId: 0 }, { purpose: 'TxProfile', evseId: 1, transactionId: 'T' }])
})

t.test('OCPP-202 a station that allows more than our ledger is a mismatch; one that allows less is not', async (t) => {
  const told = (limit: number) => ({ scheduleStart: at(0), duration: 3600, chargingRateUnit: 'W' as const, chargingSchedulePeriod: [{ startPeriod: 0, limit }] })
  t.equal(mismatch(told(2050), () => 2000, three), undefined)
  t.equal(mismatch(told(1000), () => 2000, three), undefined)
  t.equal(mismatch(told(2200), () => 2000, three), T)
  t.equal(mismatch(told(2200), (ms) => (ms < T + 30_000 ? 2000 : undefined), three), undefined, 'shorter than 60 s')
})

t.test('OCPP-173, REL-051 the register: any order of samples gives the same energy, the intervals add up to the meter', async () => {
  const sample = fc.tuple(fc.integer({ min: 0, max: 7200 }), fc.integer({ min: 0, max: 3000 }))
  fc.assert(fc.property(fc.array(sample, { minLength: 2, maxLength: 20 }), fc.infiniteStream(fc.nat(1000)), (steps, die) => {
    const times = [...new Set(steps.map(([s]) => s))].sort((a, b) => a - b)
    let Wh = 0
    const samples = times.map((s, i) => ({ at: T + s * 1000, value: (Wh += steps[i]?.[1] ?? 0) }))
    const sorted = newRegister(), mixed = newRegister()
    count(sorted, samples, 900, true)
    for (const s of [...samples].sort(() => die.next().value % 2 - 0.5)) count(mixed, [s, s], 900, true)
    const energy = (r: typeof sorted): number[] => Array.from({ length: 9 }, (_, i) => energyIn(r, T / 1000 + i * 900, 900))
    const total = energy(sorted).reduce((a, b) => a + b, 0)
    return JSON.stringify(energy(sorted)) === JSON.stringify(energy(mixed)) && Math.abs(total - ((samples.at(-1)?.value ?? 0) - (samples[0]?.value ?? 0))) < 1e-6
  }))
})

t.test('OCPP-132, 133, REL-051 all orders of a session of six end alike; gaps are listed; a station that sends 0 always is flagged', async (t) => {
  const e = (n: number, eventType: 'Started' | 'Updated' | 'Ended', seqNo = n) => ({
    eventType, seqNo, timestamp: at(n), triggerReason: 'Trigger', transactionInfo: { transactionId: 'T', chargingState: n % 2 ? 'Charging' as const : 'SuspendedEV' as const }, ...(n === 1 ? { evse: { id: 1 } } : {}),
  })
  const six = [0, 1, 2, 3, 4, 5].map((n) => e(n, n === 0 ? 'Started' : n === 5 ? 'Ended' : 'Updated'))
  const run = (events: typeof six): string => {
    const x = newTransaction('T', T)
    for (const event of events) take(x, event)
    const { keys: _, ...rest } = x
    return JSON.stringify(rest)
  }
  const orders = (list: typeof six): (typeof six)[] => (list.length <= 1 ? [list] : list.flatMap((x, i) => orders([...list.slice(0, i), ...list.slice(i + 1)]).map((o) => [x, ...o])))
  t.equal(new Set(orders(six).map(run)).size, 1)
  const gap = newTransaction('T', T)
  for (const i of [0, 5]) take(gap, six[i] as (typeof six)[0])
  t.same([missing(gap), gap.complete, gap.ended], [[1, 2, 3, 4], false, true])
  const zero = newTransaction('T', T)
  t.same([take(zero, e(0, 'Started')), take(zero, e(1, 'Updated', 0)), take(zero, e(1, 'Updated', 0)), take(zero, e(5, 'Ended', 0))], ['new', 'new', 'repeated', 'new'])
  t.match(zero, { seqNoUnreliable: true, ended: true, flags: ['seqNoUnreliable'] })
  t.equal(take(newTransactionWith(six[0] as (typeof six)[0]), { ...six[0] as (typeof six)[0], triggerReason: 'Authorized' }), 'conflicting')
})
const newTransactionWith = (event: Parameters<typeof take>[1]) => { const x = newTransaction('T', T); take(x, event); return x }

t.test('OCPP-170, 172, 230 units, phases and totals', async (t) => {
  const s = samplesOf([{ timestamp: at(0), sampledValue: [
    { value: '1.5', unit: 'kW', measurand: 'Power.Active.Import', phase: 'L1' }, { value: 500, measurand: 'Power.Active.Import', phase: 'L2' },
    { value: 230, measurand: 'Voltage', phase: 'L1-L2' }, { value: 1, unitOfMeasure: { multiplier: 3 } }, { value: 2, location: 'Inlet' },
    { value: 16, measurand: 'Current.Import', phase: 'L1' }, { value: 0.1, measurand: 'Current.Import', phase: 'L2' },
  ] }])
  t.same(totals(s, 'Power.Active.Import').map((x) => x.value), [2000])
  t.same(totals(s, 'Energy.Active.Import.Register').map((x) => x.value), [1000])
  t.same(totals(s, 'Voltage'), [], 'line voltages are never added')
  t.equal(phasesWithCurrent(s), 1)
})

t.test('OCPP-238, CORE-031 V20 availability of a car: slack beyond its need, nothing without a transaction', async (t) => {
  const tx = { ...newTransaction('T', T), evseId: 1, chargingState: 'Charging' as const }
  const now = T / 1000
  const state = { now, resource: 'r', rated_W: 5000, free_W: undefined, cap_W: undefined, delivered_Wh: 0, source: 's', issuedAt: 0, needs: undefined, transaction: tx }
  const needs = { at: 0, energy_Wh: 15_000, departure: now + 14 * 3600, max_W: undefined, min_W: undefined, phases: 3, current: 'AC' as const, maxScheduleTuples: undefined }
  const rows = availabilityOf({ ...state, needs })
  t.same(rows.slice(0, 12).map((r) => r.down_W), Array(12).fill(5000), '5 kW in each interval it would charge')
  t.equal(rows[12]?.down_W, 0)
  t.ok(availabilityOf({ ...state, needs: { ...needs, departure: now + 2 * 3600 } }).every((r) => r.down_W === 0), 'slack < 0')
  t.ok(availabilityOf({ ...state, transaction: undefined }).every((r) => r.down_W === 0 && r.expected_W === 0))
  t.equal(availabilityOf({ ...state, cap_W: 3000 })[0]?.down_W, 3000, 'an external cap lowers it')
  t.equal(availabilityOf({ ...state, free_W: 3700 })[0]?.down_W, 3700, 'what it drew when no event held it back')
})

t.test('OCPP-238 the meter during an event is not what the car would draw', async (t) => {
  const entry = { id: 1, evseId: 1, state: 'installed' as const, delivery: 'd', changedAt: 0, profile: p('TxDefaultProfile', 2, 0, {}, { duration: 3600 }) }
  const with1 = (more: object): { ledger: Map<number, LedgerEntry> } => ({ ledger: new Map([[1, { ...entry, ...more }]]) })
  t.notOk(curtailed(with1({}), 1, T - 1))
  t.ok(curtailed(with1({}), 1, T))
  t.ok(curtailed(with1({ evseId: 0 }), 1, T + 3_599_000))
  t.ok(curtailed(with1({ state: 'gone' }), 1, T + 1000), 'it held until it was taken back')
  t.notOk(curtailed(with1({}), 2, T))
  t.notOk(curtailed(with1({}), 1, T + 3_660_000))
  t.notOk(curtailed(with1({ delivery: undefined }), 1, T), 'a baseline is normal')
})

t.test('OCPP-072 timestamps: offsets, nanoseconds, a missing zone, and nothing impossible', async (t) => {
  for (const ok of ['2026-01-01T00:00:00Z', '2026-01-01T00:00:00.123456789+02:00', '2026-01-01T00:00:00', '2024-02-29T23:59:60Z', '2026-01-01T00:00:00.5-0530']) {
    t.ok(isDateTime(ok) && Number.isFinite(stampMs(ok)), ok)
  }
  for (const bad of ['2026-02-29T00:00:00Z', '2026-13-01T00:00:00Z', '2026-01-01', 'now', '2026-01-01T24:00:00Z', '2026-01-01T00:00:00.1234567890Z']) t.notOk(isDateTime(bad), bad)
  t.equal(stampMs('2026-01-01T02:00:00+02:00'), stampMs('2026-01-01T00:00:00'))
})
