import { all } from '../../api.ts'
import { ageOf, count } from '../../format.ts'
import { useLoad } from '../../live.ts'
import { setSearch, usePlace } from '../../route.ts'
import { serverNow, zone } from '../../session.ts'
import { t } from '../../text/index.ts'
import type { Reading } from '../../types.ts'
import { Await } from '../../part/basics.tsx'
import { Chart } from '../../part/chart.tsx'

const spans = { hours6: 6, hours24: 24, days7: 168, days30: 720 } as const

/** Import minus export as power, reading by reading. */
export function netPower(readings: readonly Reading[]): { times: number[]; kW: (number | null)[]; end: number } {
  const by = new Map<number, { Wh: number; minutes: number }>()
  for (const r of readings) {
    const s = Date.parse(r.start) / 1000,
      x = by.get(s) ?? { Wh: 0, minutes: r.minutes }
    by.set(s, { Wh: x.Wh + (r.channel === 'import' ? r.Wh : -r.Wh), minutes: r.minutes })
  }
  const times = [...by.keys()].sort((a, b) => a - b),
    kW: (number | null)[] = [],
    out: number[] = []
  for (const [i, s] of times.entries()) {
    const { Wh, minutes } = by.get(s)!
    out.push(s)
    kW.push((Wh / minutes) * 0.06)
    // a gap is shown as a gap
    if (times[i + 1] !== undefined && times[i + 1]! > s + minutes * 60) {
      out.push(s + minutes * 60)
      kW.push(null)
    }
  }
  return { times: out, kW, end: (times.at(-1) ?? 0) + (by.get(times.at(-1) ?? 0)?.minutes ?? 0) * 60 }
}

export function Readings({ point }: { point: string }) {
  const { search } = usePlace(),
    chosen = (Object.keys(spans) as (keyof typeof spans)[]).find((k) => k === search.get('window')) ?? 'hours24'
  const readings = useLoad(
    () =>
      all<Reading>(
        `/readings?servicePoint=${point}&from=${encodeURIComponent(new Date(Math.floor(serverNow() / 60_000) * 60_000 - spans[chosen] * 3_600_000).toISOString())}`,
      ),
    [point, chosen],
    { every: 15_000 },
  )
  return (
    <section class="card">
      <h2>{t('device.readings')}</h2>
      <div class="row">
        <div class="row" role="group" aria-label={t('device.window')}>
          {(Object.keys(spans) as (keyof typeof spans)[]).map((k) => (
            <button key={k} type="button" aria-pressed={k === chosen} onClick={() => setSearch({ window: k })}>
              {t(`device.${k}`)}
            </button>
          ))}
        </div>
        <a href={`#/readings/${point}`}>{t('point.all')}</a>
      </div>
      <Await of={readings}>{(list) => (list.length === 0 ? <p>{t('device.noReadings')}</p> : <Net readings={list} />)}</Await>
    </section>
  )
}

export function Net({ readings, band }: { readings: readonly Reading[]; band?: { from: number; to: number } }) {
  const { times, kW, end } = netPower(readings),
    last = readings.reduce((a, b) => (a > b.receivedAt ? a : b.receivedAt), '')
  return (
    <>
      <Chart
        label="device.readingsLabel"
        times={times}
        end={end}
        zone={zone()}
        lines={[{ key: 'device.net', values: kW, colour: '--c-actual', width: 2 }]}
        {...(band ? { band } : {})}
      />
      <p class="soft">
        {t('device.readingCount', { n: count(readings.length), age: ageOf(last) })}
      </p>
    </>
  )
}
