import type { Command } from 'commander'
import { act, collect, noun, verb, type OperatorOptions } from '#cli/operator-noun.js'

interface BacktestOptions extends OperatorOptions {
  readonly program?: string
  readonly method?: string
  readonly servicePoint: string[]
  readonly day: string[]
  readonly fromHour: string
  readonly toHour: string
}

const subjectOf = (o: { program?: string; servicePoint: string[] }) => ({ ...(o.program ? { program: o.program } : {}), ...(o.servicePoint.length > 0 ? { servicePoints: o.servicePoint } : {}) })

export function registerBaseline(program: Command): void {
  const own = noun(program, 'baseline', 'what would have been', ['baseline methods', 'baseline backtest --program peak --day 2026-07-08 --day 2026-07-09 --from-hour 16 --to-hour 18'])
  verb(own, 'methods', 'the methods there are', 'baseline methods').action((o: OperatorOptions) => act(o, async (c) => {
    const items = await c.all<Record<string, unknown>>('/baselines')
    return o.json ? items : items.map(({ name, version, scheme, lookback }) => ({ name, version, scheme, lookback }))
  }))
  verb(own, 'compare', 'several methods on the same days without an event, side by side (UX-063)', 'baseline compare --program peak --method CAISO_10IN10 --method UK_MID8OF10 --day 2026-07-08 --from-hour 16 --to-hour 18')
    .option('--program <name>', 'its enrolled points, rules and zone').option('--method <name>', 'a method (repeat); every one by default', collect, []).option('--service-point <name>', 'these points instead (repeat)', collect, [])
    .requiredOption('--day <date>', 'placebo day (repeat)', collect, []).requiredOption('--from-hour <h>', 'first local hour').requiredOption('--to-hour <h>', 'end, local hour')
    .action((o: Omit<BacktestOptions, 'method'> & { method: string[] }) => act(o, async (c) => {
      const names = o.method.length > 0 ? o.method : (await c.all<{ name: string }>('/baselines')).map((m) => m.name), rows: object[] = []
      for (const method of names) {
        const r = await c.call<{ rrmse: number | null; bias: number | null; eligible: boolean; intervals: number; band: { p10: number; p90: number } | null }>('POST', '/baselines/backtest', { ...subjectOf(o), method, days: o.day, fromHour: Number(o.fromHour), toHour: Number(o.toHour) })
        rows.push({ method, rrmse: r.rrmse, bias: r.bias, p10_kW: r.band?.p10 ?? null, p90_kW: r.band?.p90 ?? null, intervals: r.intervals, eligible: r.eligible })
      }
      return rows
    }))
  verb(own, 'backtest', 'run a method on days without an event: RRMSE and bias (CORE-166)', 'baseline backtest --program peak --day 2026-07-08 --from-hour 16 --to-hour 18')
    .option('--program <name>', 'its enrolled points, rules and zone').option('--method <name>', 'another method than the program says').option('--service-point <name>', 'these points instead (repeat)', collect, [])
    .requiredOption('--day <date>', 'placebo day (repeat)', collect, []).requiredOption('--from-hour <h>', 'first local hour').requiredOption('--to-hour <h>', 'end, local hour')
    .action((o: BacktestOptions) => act(o, (c) => c.call('POST', '/baselines/backtest', {
      ...subjectOf(o), ...(o.method ? { method: o.method } : {}), days: o.day, fromHour: Number(o.fromHour), toHour: Number(o.toHour),
    })))
}
