import { rounded, type Emit } from '#bench/figure.js'
import { withDatabase } from '#bench/store.js'
import { calculate, type RunInput } from '#core/settlement/run.js'
import { settledWh } from '#core/verification/performance.js'

const participants = 10_000, days = 30, perDay = 96, from = Date.UTC(2026, 5, 1) / 1000
/** Readings that are loaded from PostgreSQL to be reported beside: the whole month of a tenth of the fleet. */
const loaded = 1000

/** core-dr §17.6: 10,000 participants × 30 days × 96 intervals in one run; memory and loading reported beside. */
export default async function settlement(emit: Emit): Promise<void> {
  globalThis.gc?.()
  const input = monthOf(), begun = performance.now(), result = calculate(input), value = (performance.now() - begun) / 1000
  const baseline = bare(input)
  if (Object.keys(result.payments).length !== participants) throw new Error('somebody was not settled')
  emit({ name: 'settlement month', value: rounded(value), unit: 's', n: participants * days * perDay, baseline: rounded(baseline), ratio: rounded(value / baseline) })
  emit({ name: 'settlement memory', value: rounded(process.resourceUsage().maxRSS / 1024), unit: 'MiB', n: 1 })
  await withDatabase(async ({ stores }) => {
    for (let day = 0; day < days; day++) {
      for (let p = 0; p < loaded; p += 10) await stores.readings.record('bench', Array.from({ length: 10 * perDay }, (_, i) => ({ servicePoint: `p${p + Math.floor(i / perDay)}`, channel: 'import', start: from + day * 86_400 + (i % perDay) * 900, minutes: 15, Wh: 250, quality: 'RAW', source: 'import:bench' })), 1)
    }
    const names = Array.from({ length: loaded }, (_, p) => `p${p}`), asked = performance.now()
    let values = 0
    for (let p = 0; p < loaded; p += 200) for (const found of (await stores.readings.net('bench', names.slice(p, p + 200), from, from + days * 86_400, { net: true })).values()) values += found.Wh.length
    if (values !== loaded * days * perDay) throw new Error(`${values} values were loaded`)
    emit({ name: 'settlement loading', value: rounded(values / ((performance.now() - asked) / 1000)), unit: 'readings/s', n: values })
  })
}

/** A day is an event of 96 intervals for everybody: the heaviest month that there can be. */
function monthOf(): RunInput {
  const ids = Array.from({ length: participants }, (_, i) => `point-${String(i).padStart(5, '0')}`)
  return {
    from, to: from + days * 86_400, points: Object.fromEntries(ids.map((id) => [id, { share: null, nominated_W: 5000 }])),
    terms: { program: 'bench', programVersion: 1, currency: 'USD', energyPrice: '0.50', rules: [], customerShare: '0.70', floorLevel: 'portfolioEvent', cap: '1.2', method: 'CAISO_10IN10', level: 'point', disputeDays: 30 },
    events: Array.from({ length: days }, (_, d) => ({
      dispatch: `day-${d}`, verification: `v${d}`, inputHash: '', status: 'OK', committed_kW: '50000', days: [], portfolio_kW: null,
      intervals: Array.from({ length: perDay }, (_, i) => ({ start: from + d * 86_400 + i * 900, end: from + d * 86_400 + (i + 1) * 900 })),
      points: ids.map((id, n) => ({ id, status: 'OK', own_kWh: null, delivered_kW: Float64Array.from({ length: perDay }, (_, i) => ((n * 31 + i * 7 + d) % 701) / 97) as unknown as readonly number[] })),
    })),
  }
}

/** Rounding every interval once and adding, without shares, floors or lines. */
function bare(input: RunInput): number {
  const begun = performance.now()
  let sum = 0
  for (const e of input.events) for (const p of e.points) for (let i = 0; i < p.delivered_kW.length; i++) sum += settledWh(p.delivered_kW[i]! / 4)
  if (sum === 0) throw new Error('nothing was added')
  return (performance.now() - begun) / 1000
}
