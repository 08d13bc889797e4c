import { t } from '../text/index.ts'
import type { Performance, Progress } from '../types.ts'
import type { ChartProps, Line } from './chart.tsx'

/** An event as its chart shows it: some time before and after, the readings that are in, and what was verified as it was verified. */
export function powerLines(progress: Progress, p: Performance, more: { target?: boolean; unadjusted?: boolean }): Pick<ChartProps, 'times' | 'lines' | 'end' | 'marks'> {
  const final = new Map((p.intervals ?? []).map((i, k) => [Date.parse(i.start), { ...i, unadjusted: p.baselineTrace?.unadjusted?.[k] ?? null }])),
    delta = (progress.direction === 'down' ? -1 : 1) * progress.ordered_kW
  const rows = progress.intervals.map((i) => {
    const f = i.phase === 'event' ? final.get(Date.parse(i.start)) : undefined,
      baseline = f?.baseline_kW ?? i.baseline_kW
    return { start: Date.parse(i.start) / 1000, baseline, actual: f?.actual_kW ?? i.actual_kW, target: baseline === null ? null : baseline + delta, unadjusted: f?.unadjusted ?? null, gap: i.reported > 0 && i.reported < i.points ? i : undefined }
  })
  const lines: Line[] = [
    ...(more.unadjusted && rows.some((r) => r.unadjusted !== null) ? [{ key: 'dispatch.unadjusted' as const, values: rows.map((r) => r.unadjusted), colour: '--soft', dash: [2, 4], width: 1.5 }] : []),
    { key: 'dispatch.baseline', values: rows.map((r) => r.baseline), colour: '--c-baseline', dash: [7, 5] },
    { key: 'dispatch.actual', values: rows.map((r) => r.actual), colour: '--c-actual', width: 3 },
    // drawn over the thick line, so that both are seen where they meet
    ...(more.target ? [{ key: 'dispatch.target' as const, values: rows.map((r) => r.target), colour: '--c-target', width: 1.6 }] : []),
  ]
  const marks = rows.flatMap((r) => (r.gap ? [{ from: r.start, note: t('verify.gap', { n: r.gap.reported, total: r.gap.points }) }] : []))
  return { times: rows.map((r) => r.start), lines, end: Date.parse(progress.intervals.at(-1)?.end ?? '') / 1000, marks }
}
