import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { Reader } from '#core/calc/read.js'
import { kindOf } from '#core/calc/registry.js'
import { packageRoot } from '#core/package-root.js'

interface Case {
  readonly id: string
  readonly title: string
  readonly kind: string
  readonly input: unknown
  readonly expected: unknown
}

/** kW within 1e-6, all else exactly; members that we add are free, members of the vector are not. */
function differences(found: unknown, expected: unknown, path = ''): string[] {
  if (typeof expected === 'number' && typeof found === 'number') {
    return Number.isInteger(expected) && found === expected || Math.abs(found - expected) <= 1e-6 ? [] : [`${path}: ${found} is not ${expected}`]
  }
  if (expected === null || typeof expected !== 'object') return found === expected ? [] : [`${path}: ${JSON.stringify(found)} is not ${JSON.stringify(expected)}`]
  if (found === null || typeof found !== 'object') return [`${path}: ${JSON.stringify(found)} is not an object`]
  if (Array.isArray(expected) && (!Array.isArray(found) || found.length !== expected.length)) return [`${path}: another length`]
  const own = Object.entries(expected), extra = Object.keys(found).filter((k) => !Object.hasOwn(expected, k))
  return [...own.flatMap(([k, v]) => differences((found as Record<string, unknown>)[k], v, `${path}/${k}`)), ...extra.map((k) => `${path}/${k} is not in the vector`)]
}

/** Which requirement each vector proves. */
const proves: Readonly<Record<string, string>> = {
  baseline: 'CORE-122 CORE-125 CORE-132', accuracy: 'CORE-165', regression: 'CORE-150', 'matching-day': 'CORE-146', mbma: 'CORE-152', mbl: 'CORE-153', mgo: 'CORE-154', 'control-group': 'CORE-155',
  'settlement-reservation': 'CORE-173', 'settlement-flexorder': 'CORE-182', split: 'CORE-183', 'allocate-merit': 'CORE-062', 'allocate-prop': 'CORE-063', oversubscribe: 'CORE-066',
  'avail-ev': 'CORE-031', 'avail-storage': 'CORE-032 CORE-033', units: 'CORE-094 CORE-095 CORE-098', stagger: 'CORE-082', 'k-anonymity': 'CORE-221', 'optout-curve': 'CORE-039', vee: 'CORE-117 CORE-118',
  audit: 'CORE-220 CORE-230', 'floor-level': 'CORE-171', kpi: 'CORE-195',
}

const vectors = JSON.parse(readFileSync(join(packageRoot(), 'core/calc/core-dr-vectors.json'), 'utf8')) as { cases: Case[] }

t.equal(vectors.cases.length, 29, 'all 29 worked examples are here')
for (const c of vectors.cases) {
  t.test(`${proves[c.kind]} ${c.id} ${c.title}`, async (t) => {
    const kind = kindOf(c.kind)
    t.ok(kind, `there is a calculation ${c.kind}`)
    t.same(differences(kind!.run(new Reader(c.input)).result, c.expected), [])
  })
}

const run = (kind: string, input: unknown): Record<string, any> => kindOf(kind)!.run(new Reader(input)).result as Record<string, any>

/** 24 equal hours for each day before the event day; `null` where the spring change has no 02:00. */
function days(last: string, n: number, hours: (date: string) => (number | null)[]): Record<string, (number | null)[]> {
  const end = Date.parse(`${last}T00:00:00Z`) / 86_400_000
  return Object.fromEntries(Array.from({ length: n }, (_, i) => new Date((end - i) * 86_400_000).toISOString().slice(0, 10)).map((d) => [d, hours(d)]))
}
const ramp = Array.from({ length: 24 }, (_, h) => h)

t.test('CORE-129 baseline-dst: one value for each elapsed hour, both occurrences of a repeated hour alike and paid', async (t) => {
  const history = days('2025-11-01', 45, () => ramp), base = { method: 'CAISO_10IN10', timeZone: 'America/Denver', history }
  const r = run('baseline-dst', { ...base, eventDay: '2025-11-02', eventLocalHours: [0, 3], actual: ['06', '07', '08', '09'].map((h) => ({ startUtc: `2025-11-02T${h}:00:00Z`, kW: 0 })) })
  t.same(r['baseline'], [0, 1, 1, 2])
  t.match(r, { elapsedHours: 4, reduction_kWh: 4, days: ['2025-10-19', '2025-10-25', '2025-10-26', '2025-11-01'] })
  t.same(run('baseline-dst', { ...base, eventStartLocal: '2025-11-02T01:00', eventEndLocal: '2025-11-02T02:00' })['baseline'], [1, 1])
  t.same(run('baseline-dst', { ...base, eventStartLocal: '2025-11-02T01:00:00-07:00', eventEndLocal: '2025-11-02T02:00' })['baseline'], [1], 'with an offset the second 01:00 is meant')
  const spring = days('2025-03-13', 45, (d) => (d === '2025-03-09' ? ramp.map((h) => (h === 2 ? null : h)) : ramp))
  t.same(run('baseline-dst', { method: 'CAISO_10IN10', timeZone: 'America/Denver', history: spring, eventDay: '2025-03-09', eventLocalHours: [1, 4] }), { status: 'OK', days: ['2025-02-23', '2025-03-01', '2025-03-02', '2025-03-08'], baseline: [1, 3], elapsedHours: 2, adjustment: 1, flags: [] })
  const later = run('baseline-dst', { method: 'AEMO_10OF10_ALL', timeZone: 'America/Denver', history: spring, eventDay: '2025-03-14', eventLocalHours: [2, 3] })
  t.notOk(later['days'].includes('2025-03-09'), 'a day without 02:00 is not eligible')
})

t.test('CORE-129 CORE-128 a clock that moves by half an hour (Lord Howe): each elapsed hour takes the hour of the clock it starts in', async (t) => {
  const zone = 'Australia/Lord_Howe', base = { method: 'TW_DAYS20', timeZone: zone }
  // 2025-04-06: at 02:00 the clock goes back to 01:30, so midnight to four lasts four and a half hours.
  const autumn = run('baseline-dst', { ...base, history: days('2025-04-05', 60, () => ramp), eventDay: '2025-04-06', eventLocalHours: [0, 4] })
  t.match(autumn, { elapsedHours: 4.5, baseline: [0, 1, 1, 2, 3] })
  // 2025-10-05: at 02:00 it goes forward to 02:30; the hour is half as long, but there.
  const spring = run('baseline-dst', { ...base, history: days('2025-10-04', 60, () => ramp), eventDay: '2025-10-05', eventLocalHours: [2, 4] })
  t.match(spring, { elapsedHours: 1.5, baseline: [2, 3] })
  t.ok(run('baseline-dst', { ...base, history: days('2025-10-11', 60, () => ramp), eventDay: '2025-10-12', eventLocalHours: [2, 4] })['days'].includes('2025-10-05'), 'and serves later events')
})

t.test('CORE-124 a day of null was not measured; CORE-006 settled kWh are rounded before the price; sums that binary cannot hold', async (t) => {
  const history = { ...days('2025-07-22', 45, () => ramp), '2025-07-21': null }
  const r = kindOf('baseline')!.run(new Reader({ method: 'KR_MAX4OF5', eventDay: '2025-07-23', eventLocalHours: [17, 20], intervalMinutes: 60, actual: ramp, history }))
  t.match((r.trace as { considered: unknown[] }).considered[1], { day: '2025-07-21', verdict: 'dropped', reason: 'INCOMPLETE' })
  t.equal(run('rerun', { committed_kW: '0', capacityRate: '0', energyRate: '1000', run1: { kWh: '0.0005', pf: '1' }, run2: { kWh: '-0.0005', pf: '1' } })['statement2Delta'], '-2.00')
  t.equal(run('settlement-reservation', { pledged_kW: '1', hourlyRelief_kW: [['0.0004', '0.0005']], reservationRatePerkWMonth: '0', energyRatePerkWh: '1000', currency: 'USD' })['energy'], '1.00')
  t.equal(run('oversubscribe', { target_kW: 0.3, fleet: [{ kW: 0.1, p: 1, count: 9 }] })['count'], 3)
  t.same(run('k-anonymity', { groups: { a: [0.3, ...Array(17).fill(0.1)] } })['primarySuppressed'], [], '0.3 of 2.0 is not above 15 %')
})

t.test('CORE-187 CORE-181 CORE-195 CORE-196 rerun, bonus and KPI without a denominator', async (t) => {
  t.same(run('rerun', { committed_kW: '200', capacityRate: '18', energyRate: '1', run1: { kWh: '620', pf: '0.77' }, run2: { kWh: '640.5', pf: '0.80' } }), {
    run1: { capacity: '2772.00', energy: '620.00' }, run1Total: '3392.00', run2: { capacity: '2880.00', energy: '640.50' }, run2Total: '3520.50', statement2Delta: '128.50',
  })
  t.match(run('settlement-bonus', { pledged_kW: '100', pf: '1', baseRate: '18.00', bonus: '5', threshold: 3, eventsPerMonth: [['2017-06', 2], ['2017-07', 2]], currency: 'USD' }), { months: [{ rate: '18.00' }, { rate: '23.00', payment: '2300.00' }], total: '4100.00' })
  t.match(run('kpi', { dispatched: 0, responded: 0, optedOut: 0, noComms: 0, committed_kW: 0, delivered_kW: 0, cost: '1.00', assets: 0 }), { participationRate: null, costPerMW: null, costPerAsset: null, reasons: { participationRate: 'dispatched is 0' } })
})

t.test('CORE-145 CORE-146 calc baseline takes every method that needs only readings', async (t) => {
  const base = { eventDay: '2025-07-23', eventLocalHours: [12, 17], intervalMinutes: 60, actual: ramp, history: days('2025-07-22', 45, () => ramp) }
  t.match(run('baseline', { ...base, method: 'SAME_DAY_3PLUS2' }), { status: 'OK', adjusted: [12.8, 12.8, 12.8, 12.8, 12.8], adjustment: null })
  t.match(run('baseline', { ...base, method: 'MATCHING_DAY' }), { status: 'OK', days: ['2025-07-18', '2025-07-21', '2025-07-22'], adjusted: [12, 13, 14, 15, 16] })
  t.match(run('baseline', { ...base, method: 'REGRESSION' }), { status: 'INSUFFICIENT_DATA', reasons: ['no temperature series'] })
})

t.test('CORE-127 CORE-039 CORE-150 CORE-155 thin data is a result, not an error', async (t) => {
  const thin: [string, unknown][] = [
    ['baseline', { method: 'CAISO_10IN10', eventDay: '2025-07-23', eventLocalHours: [17, 20], intervalMinutes: 60, history: days('2025-07-22', 3, () => ramp) }],
    ['baseline-dst', { method: 'CAISO_10IN10', timeZone: 'Europe/Paris', eventDay: '2025-07-23', eventLocalHours: [17, 20], history: {} }],
    ['optout-curve', { participation: [0.9, 0] }], ['regression', { observations_TC_kW: [[1, 2]], predictAtC: [1] }], ['accuracy', { baseline: [], actual: [] }],
    ['control-group', { treatPre: [1], treatEvent: [1], controlPre: [1], controlEvent: [1] }], ['mbma', { intervalMinutes: 5, before: [], during: [1] }], ['mbl', { plc_kW: 1, fsl_kW: 1, metered_kW: [] }],
    ['matching-day', { eventDay: '2025-06-11', eventLocalHours: [13, 17], actual: ramp, history: {} }], ['settlement-reservation', { pledged_kW: '1', hourlyRelief_kW: [], reservationRatePerkWMonth: '1', energyRatePerkWh: '1', currency: 'USD' }],
  ]
  for (const [kind, input] of thin) t.match(run(kind, input), { status: 'INSUFFICIENT_DATA', reasons: [/./] }, kind)
})

t.test('CORE-009 the same results under TZ=Asia/Tokyo, America/St_Johns and UTC', async (t) => {
  const registry = new URL(`./registry${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url).href, reader = registry.replace('registry', 'read')
  const dst = { method: 'CAISO_10IN10', timeZone: 'America/Denver', history: days('2025-11-01', 45, () => ramp), eventDay: '2025-11-02', eventLocalHours: [0, 3] }
  const code = `const { kindOf } = await import('${registry}'); const { Reader } = await import('${reader}'); let text = ''; for await (const part of process.stdin) text += part
    for (const { kind, input } of JSON.parse(text)) console.log(JSON.stringify(kindOf(kind).run(new Reader(input))))`
  const work = JSON.stringify([...vectors.cases.map(({ kind, input }) => ({ kind, input })), { kind: 'baseline-dst', input: dst }])
  const answers = ['UTC', 'Asia/Tokyo', 'America/St_Johns'].map((TZ) => spawnSync(process.execPath, [...process.execArgv, '--input-type=module', '-e', code], { input: work, env: { ...process.env, TZ }, encoding: 'utf8', cwd: packageRoot() }))
  for (const a of answers) t.equal(a.stderr, '')
  t.equal(answers[0]!.stdout.split('\n').length, 31)
  t.equal(answers[1]!.stdout, answers[0]!.stdout)
  t.equal(answers[2]!.stdout, answers[0]!.stdout)
})

t.test('CORE-153 compliance at the edge: loss × metered equal to the firm level holds, a watt more does not; a reduction is never below zero', (t) => {
  t.same(run('mbl', { plc_kW: 1000, fsl_kW: 420, lossFactor: 1.05, metered_kW: [400, 400.001, 1200] }), { commitment_kW: 580, reduction_kW: [580, 1000 - 1.05 * 400.001, 0], compliant: [true, false, false], eventAverage_kW: (580 + (1000 - 1.05 * 400.001)) / 3, shortfall_kW: 580 - (580 + (1000 - 1.05 * 400.001)) / 3 })
  t.match(run('mbl', { plc_kW: 1000, fsl_kW: 400, metered_kW: [] }), { status: 'INSUFFICIENT_DATA' })
  t.end()
})

t.test('CORE-154 generator output: below its typical output nothing was delivered; without export both are capped at the site\'s load, which may be negative', (t) => {
  t.same(run('mgo', { generation_kW: [50, 5, 20], typicalGeneration_kW: [10, 10, 0], siteLoad_kW: [30, -5, 8], intervalMinutes: 30 }), { delivered_kW: [40, 0, 20], deliveredNoExport_kW: [20, 0, 8], energy_kWh: 30, energyNoExport_kWh: 14 })
  t.same(run('mgo', { generation_kW: [5, 10], intervalMinutes: 15 }), { delivered_kW: [5, 10], energy_kWh: 3.75 })
  t.end()
})

t.test('CORE-117, CORE-007, CORE-195 edges: a spike is above 1.8, not at it; yen have no minor unit, dinars three; a negative price turns the sign; nothing divides by zero', (t) => {
  t.same([[14, 5, 5], [14.01, 5, 5]].map((spikeSeries) => run('vee', { series_kWh: [], intervalMinutes: 15, spikeSeries })['spike']), [false, true])
  t.match(run('split', { total: '1000', customerShare: '0.70', deliveredKWh: { a: '1', b: '1', c: '1' }, currency: 'JPY' }), { customerPool: '700', aggregator: '300', payments: { a: '234', b: '233', c: '233' } })
  t.match(run('split', { total: '10.001', customerShare: '0.333', deliveredKWh: { a: '1', b: '1', c: '1' }, currency: 'KWD' }), { customerPool: '3.330', aggregator: '6.671', payments: { a: '1.110', b: '1.110', c: '1.110' } })
  t.match(run('settlement-flexorder', { unit: 'MW', pricePerMW: '-7', penaltyPerMW: '11', baseline: [10], ordered: [2], allocation: [9.5] }), { rows: [{ delivered: 0.5, deficiency: 1.5, paid: '-3.50', penalty: '16.50', net: '-20.00' }], total: '-20.00' })
  t.match(run('rerun', { committed_kW: '100', capacityRate: '10', energyRate: '-0.5', run1: { kWh: '10.0005', pf: '0.9' }, run2: { kWh: '12', pf: '1' } }), { run1: { energy: '-5.00' }, run1Total: '895.00', run2Total: '994.00', statement2Delta: '99.00' })
  t.match(run('kpi', { enrolled: 0, active: 0, dispatched: 0, responded: 0, optedOut: 0, noComms: 0, committed_kW: 0, delivered_kW: 0, cost: '10', assets: 0 }), { participationRate: null, deliveryRatio: null, costPerMW: null, costPerAsset: null, reasons: { costPerAsset: /assets is 0/ } })
  t.match(run('split', { total: '100.00', customerShare: '0.70', deliveredKWh: {} }), { customerPool: '0.00', aggregator: '100.00', payments: {} })
  t.match(run('matching-day', { eventDay: '2025-06-11', eventLocalHours: [13, 17], guardHours: 1, k: 3, actual: Array(24).fill(1), history: {} }), { status: 'INSUFFICIENT_DATA' })
  t.end()
})
