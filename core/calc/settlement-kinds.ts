import { bonusByCount } from '#core/settlement/bonus.js'
import { settleFlexOrder } from '#core/settlement/flex-order.js'
import { reservation } from '#core/settlement/reservation.js'
import { sequentialShares, splitRevenue } from '#core/settlement/split.js'
import { Exact, fromMinor, toMinor } from '#core/quantity/money.js'
import { chain, verifyChain, type AuditRecord } from '#core/audit/chain.js'
import { pseudonym } from '#core/privacy/pseudonym.js'
import { release } from '#core/privacy/k-anonymity.js'
import { estimateGaps, spikeCheck } from '#core/reading/vee.js'
import { settledKWh } from '#core/verification/performance.js'
import { energyByFloor } from '#core/verification/floor-level.js'
import { kpi } from '#core/kpi/kpi.js'
import { insufficient, type Kind, type Outcome } from '#core/calc/kind.js'
import { decimals, numbers, readings, texts, type Reader } from '#core/calc/read.js'

function currencyOf(input: Reader): string {
  const r = input.get('currency'), code = input.maybe('currency', (v) => v.text()) ?? 'USD'
  if (!/^[A-Z]{3}$/.test(code)) return r.fail(`must be an ISO 4217 code, got ${JSON.stringify(code)}`)
  return code
}

function reservationKind(input: Reader): Outcome {
  const d = (name: string): string => input.get(name).decimal(), events = input.get('hourlyRelief_kW').list().map(decimals)
  const lastPF = input.maybe('lastPF', (r) => r.decimal())
  if (events.length === 0 && lastPF === undefined) return insufficient(['no event in the month and no factor of a last test or event (lastPF)'])
  if (events.some((e) => e.length === 0)) return insufficient(['an event without an hour has no performance factor'])
  const result = reservation({ pledged_kW: d('pledged_kW'), hourlyRelief_kW: events, reservationRatePerkWMonth: d('reservationRatePerkWMonth'), energyRatePerkWh: d('energyRatePerkWh'), currency: currencyOf(input), lastPF })
  return { result, trace: { rules: ['CORE-173', 'CORE-180'], formula: { reservation: 'pledged × monthPF × rate', energy: 'Σ hourly relief × rate' } } }
}

function flexOrderKind(input: Reader): Outcome {
  const unit = input.maybe('unit', (r) => r.text()) ?? 'MW', list = (name: string): number[] => numbers(input.get(name))
  const price = (name: string): string => input.get(input.has(`${name}Per${unit}`) ? `${name}Per${unit}` : name).decimal()
  const currency = currencyOf(input)
  return { result: settleFlexOrder({ price: price('price'), penalty: price('penalty'), baseline: list('baseline'), ordered: list('ordered'), allocation: list('allocation'), currency }), trace: { rule: 'CORE-182', unit, currency } }
}

function splitKind(input: Reader): Outcome {
  const currency = currencyOf(input), revenue = input.get('total').decimal()
  const parts = input.get('deliveredKWh').entries().map(([id, r]) => ({ id, weight: r.decimal() }))
  const result = splitRevenue({ revenue, customerShare: input.get('customerShare').decimal(), currency, parts })
  const allZero = parts.every((p) => Number(p.weight) <= 0)
  const vendors = input.maybe('shares', (r) => r.list().map((s) => ({ party: s.get('party').text(), share: s.get('share').decimal() })))
  const chainShares = vendors ? { shares: sequentialShares({ revenue, currency, shares: vendors, remainderTo: 'aggregator' }) } : {}
  return { result: { ...result, ...chainShares }, trace: { rule: 'CORE-183', currency, weights: allZero ? 'equal (all deliveries are 0)' : 'delivered kWh' } }
}

function bonusKind(input: Reader): Outcome {
  const d = (name: string): string => input.get(name).decimal()
  const eventsPerMonth = input.get('eventsPerMonth').list().map((row): [string, number] => {
    const [month, n] = row.list()
    return month && n ? [month.text(), n.whole()] : row.fail('must be [month, number of events]')
  })
  const threshold = input.get('threshold').whole()
  return { result: bonusByCount({ pledged_kW: d('pledged_kW'), pf: d('pf'), baseRate: d('baseRate'), bonus: d('bonus'), threshold, eventsPerMonth, currency: currencyOf(input) }), trace: { rule: 'CORE-181', threshold } }
}

/** contract.md §2 `rerun`: two runs of one period and what statement 2 pays beyond statement 1 (CORE-187). */
function rerunKind(input: Reader): Outcome {
  const currency = currencyOf(input), d = (r: Reader, name: string): string => r.get(name).decimal()
  const run = (r: Reader): { capacity: string; energy: string; total: bigint } => {
    const capacity = toMinor(new Exact(d(input, 'committed_kW')).times(d(r, 'pf')).times(d(input, 'capacityRate')), currency)
    const energy = toMinor(settledKWh(d(r, 'kWh')).times(d(input, 'energyRate')), currency)
    return { capacity: fromMinor(capacity, currency), energy: fromMinor(energy, currency), total: capacity + energy }
  }
  const one = run(input.get('run1')), two = run(input.get('run2')), text = (minor: bigint): string => fromMinor(minor, currency)
  return {
    result: {
      run1: { capacity: one.capacity, energy: one.energy }, run1Total: text(one.total), run2: { capacity: two.capacity, energy: two.energy }, run2Total: text(two.total),
      statement2Delta: text(two.total - one.total),
    },
    trace: { rule: 'CORE-187', issues: two.total !== one.total, formula: { capacity: 'committed × PF × rate', energy: 'kWh × rate' } },
  }
}

function floorKind(input: Reader): Outcome {
  const baseline = input.get('baseline').list().map(numbers), actual = input.get('actual').list().map(numbers), hours = input.get('intervalMinutes').number() / 60
  if (baseline.length === 0) return insufficient(['no interval'])
  if (actual.length !== baseline.length || actual.some((row, i) => row.length !== baseline[i]!.length)) return input.get('actual').fail('must have the shape of baseline: one list of meters for each interval')
  const down = (input.maybe('direction', (r) => r.text()) ?? 'down') === 'down'
  const e = energyByFloor(baseline.map((row, i) => row.map((b, m) => (down ? 1 : -1) * (b - actual[i]![m]!))), baseline.map(() => hours))
  return { result: { portfolioEvent_kWh: e.portfolioEvent, portfolioInterval_kWh: e.portfolioInterval, meterInterval_kWh: e.meterInterval }, trace: { rule: 'CORE-171', none_kWh: e.none } }
}

function kAnonymityKind(input: Reader): Outcome {
  const groups = Object.fromEntries(input.get('groups').entries().map(([name, r]) => [name, numbers(r)]))
  const k = input.maybe('k', (r) => r.whole()) ?? 15, maxShare = input.maybe('maxShare', (r) => r.number()) ?? 0.15
  const totalPublished = input.maybe('totalPublished', (r) => r.flag()) ?? false
  return { result: release(groups, { k, maxShare, totalPublished }), trace: { rule: 'CORE-221', k, maxShare, totalPublished } }
}

function veeKind(input: Reader): Outcome {
  const series = input.maybe('series_kWh', (r) => r.list().map((v) => (v.value === null ? null : v.number()))) ?? []
  const likeDays = input.maybe('likeDays', (r) => r.list().map((d) => readings(d).map((v) => (Number.isNaN(v) ? null : v))))
  const gaps = estimateGaps({ series, intervalMinutes: input.maybe('intervalMinutes', (r) => r.number()) ?? 15, likeDays })
  const spike = input.maybe('spikeSeries', (r) => spikeCheck(numbers(r)))
  return {
    result: { estimated: gaps.map((g) => g.value), quality: gaps.map((g) => g.quality), ...(spike ? { spikeRatio: spike.ratio, spike: spike.spike } : {}) },
    trace: { rules: ['CORE-117', 'CORE-118'], places: gaps.map((g) => g.index) },
  }
}

function auditKind(input: Reader): Outcome {
  const records = input.get('records').list().map((r) => (r.entries(), r.value as AuditRecord)), hashes = chain(records)
  const given = input.maybe('chain', texts)
  const verdict = given && verifyChain(records.map((record, i) => ({ record, hash: given[i] ?? '' })))
  const key = input.maybe('key', (r) => (/^([0-9a-fA-F]{2})*$/.test(r.text()) ? Buffer.from(r.text(), 'hex') : r.fail('must be a key in hexadecimal')))
  return {
    result: {
      chain: hashes, ...(key ? { pseudonym: pseudonym(key, input.get('scope').text(), input.get('ident').text()) } : {}),
      ...(verdict ? { verified: verdict.ok, firstBroken: verdict.ok ? null : verdict.index } : {}),
    },
    trace: { rules: ['CORE-220', 'CORE-230'], records: records.length, ...(verdict ? { verdict } : {}) },
  }
}

function kpiKind(input: Reader): Outcome {
  const n = (name: string): number => input.get(name).number(), maybe = (name: string): number | undefined => input.maybe(name, (r) => r.number())
  const { reasons, ...result } = kpi({
    enrolled: maybe('enrolled'), active: maybe('active'), activeSeasonAgo: maybe('activeSeasonAgo'), stillActive: maybe('stillActive'), dispatched: n('dispatched'), responded: n('responded'),
    optedOut: n('optedOut'), noComms: n('noComms'), committed_kW: n('committed_kW'), delivered_kW: n('delivered_kW'), cost: input.get('cost').decimal(), assets: n('assets'), currency: currencyOf(input),
  })
  return { result: { ...result, ...(Object.keys(reasons).length > 0 ? { reasons } : {}) }, trace: { rule: 'CORE-195', reasons } }
}

export const settlementKinds: readonly Kind[] = [
  { kind: 'settlement-reservation', reads: '{pledged_kW, hourlyRelief_kW:[[]], reservationRatePerkWMonth, energyRatePerkWh, currency, lastPF?}', run: reservationKind },
  { kind: 'settlement-flexorder', reads: '{unit, pricePerMW, penaltyPerMW, baseline[], ordered[], allocation[]}', run: flexOrderKind },
  { kind: 'settlement-bonus', reads: '{pledged_kW, pf, baseRate, bonus, threshold, eventsPerMonth:[[month,n]], currency}', run: bonusKind },
  { kind: 'rerun', reads: '{committed_kW, capacityRate, energyRate, run1{kWh,pf}, run2{kWh,pf}}', run: rerunKind },
  { kind: 'split', reads: '{total, customerShare, deliveredKWh{id:kWh}, currency?, shares?:[{party,share}]}', run: splitKind },
  { kind: 'floor-level', reads: '{baseline:[[]], actual:[[]], intervalMinutes}: a row is an interval, a column a meter', run: floorKind },
  { kind: 'k-anonymity', reads: '{k, maxShare, groups{name:[]}, totalPublished}', run: kAnonymityKind },
  { kind: 'vee', reads: '{series_kWh[], intervalMinutes, spikeSeries[], likeDays?}', run: veeKind },
  { kind: 'audit', reads: '{records[], key, scope, ident, chain?}', run: auditKind },
  { kind: 'kpi', reads: '{enrolled, active, dispatched, responded, optedOut, noComms, committed_kW, delivered_kW, cost, assets}', run: kpiKind },
]
