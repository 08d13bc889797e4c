import { useMemo } from 'preact/hooks'
import { all, post } from '../../api.ts'
import { energy } from '../../format.ts'
import { useLoad } from '../../live.ts'
import { setSearch } from '../../route.ts'
import { t } from '../../text/index.ts'
import type { Dispatch, Performance, Reading } from '../../types.ts'
import { Await } from '../../part/basics.tsx'
import { Chart, type ChartProps } from '../../part/chart.tsx'
import { netPower } from '../device/net-power.tsx'
import type { Verified } from '../verification.tsx'
import { readingsOf } from './links.ts'

interface Computed {
  status: string
  reasons: string[]
  adjustment: number | null
  slots: { start: string; end: string; kW: number; unadjusted_kW: number | null }[]
}

/** The same rule on one meter alone, from what was known when the event was verified; nothing is stored (CORE-169). */
const alone = (d: Dispatch, p: Performance, point: string): Promise<Computed> =>
  post<Computed>('/baselines/compute', {
    program: d.program,
    servicePoint: point,
    method: p.method,
    start: d.start,
    end: d.end,
    excludedDays: p.baselineTrace?.trace.considered.filter((x) => x.reason === 'EVENT_DAY').map((x) => x.day) ?? [],
    asOf: p.computedAt,
  })

/** The meter's own readings around the event, and over each of them the baseline of its slot. */
function linesOf(readings: readonly Reading[], { slots, adjustment }: Computed): Pick<ChartProps, 'times' | 'end' | 'lines'> {
  const { times, kW, end } = netPower(readings)
  const slotAt = (s: number): Computed['slots'][number] | undefined => slots.find((x) => s * 1000 >= Date.parse(x.start) && s * 1000 < Date.parse(x.end))
  return {
    times,
    end,
    lines: [
      ...(adjustment === null ? [] : [{ key: 'dispatch.unadjusted' as const, values: times.map((s) => slotAt(s)?.unadjusted_kW ?? null), colour: '--soft', dash: [2, 4], width: 1.5 }]),
      { key: 'dispatch.baseline', values: times.map((s) => slotAt(s)?.kW ?? null), colour: '--c-baseline', dash: [7, 5] },
      { key: 'dispatch.actual', values: kW, colour: '--c-actual', width: 3 },
    ],
  }
}

/** One meter of the event: its baseline, adjusted and not, and what it measured (UX-061). */
export function PointChart({ dispatch: d, p, names, point, band }: Verified & { point: string; band: { from: number; to: number } }) {
  const name = names.get(point) ?? point,
    at = (iso: string, hours: number): string => encodeURIComponent(new Date(Date.parse(iso) + hours * 3_600_000).toISOString())
  const found = useLoad(
    async () => {
      const [computed, readings] = await Promise.all([
        alone(d, p, point),
        all<Reading>(`/readings?servicePoint=${encodeURIComponent(point)}&from=${at(d.start, -2)}&to=${at(d.end, 1)}`),
      ])
      return { computed, readings }
    },
    [point, p.computedAt],
  )
  const drawn = useMemo(() => found.data && linesOf(found.data.readings, found.data.computed), [found.data])
  return (
    <section class="card" data-point={point}>
      <div class="row">
        <h3 class="grow" translate={false}>
          {name}
        </h3>
        <button type="button" class="small" onClick={() => setSearch({ point: null })}>
          {t('common.close')}
        </button>
      </div>
      <Await of={found}>
        {({ computed, readings }) => (
          <>
            {computed.status !== 'OK' && <p class="problem">{t('verify.unverified', { why: computed.reasons.join('; ') })}</p>}
            {readings.length === 0 ? <p>{t('point.none')}</p> : <Chart label="verify.pointLabel" {...drawn!} zone={d.timeZone} band={band} height={240} />}
            <p class="soft">
              {t('verify.pointHelp', { delivered: energy(p.points.find((x) => x.servicePoint === point)?.delivered_kWh) })}{' '}
              <a href={readingsOf(point, d)}>{t('point.all')}</a>
            </p>
          </>
        )}
      </Await>
    </section>
  )
}
