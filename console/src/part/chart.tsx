import { useEffect, useRef } from 'preact/hooks'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { count, plain, when } from '../format.ts'
import { locale, t, type Key } from '../text/index.ts'
import { D } from './basics.tsx'
import { Numbers } from './chart-numbers.tsx'

export interface Line {
  readonly key: Key
  readonly values: readonly (number | null)[]
  readonly colour: string
  readonly dash?: readonly number[]
  readonly width?: number
  readonly points?: boolean
}
export interface ChartProps {
  readonly label: Key
  /** Start of each interval in epoch seconds; the last value is drawn to `end`. */
  readonly times: readonly number[]
  readonly end?: number
  readonly lines: readonly Line[]
  readonly zone: string
  readonly band?: { readonly from: number; readonly to: number }
  readonly now?: number
  readonly height?: number
  /** Intervals whose numbers are to be taken with care, and why. */
  readonly marks?: readonly { readonly from: number; readonly note: string }[]
}

const css = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim() || '#888'
/** light-dark() of a custom property resolves only on an element: ask one. */
function colour(name: string): string {
  const probe = document.createElement('i')
  probe.style.color = `var(${name})`
  document.body.append(probe)
  const found = getComputedStyle(probe).color
  probe.remove()
  return found || css(name)
}

/** Lines over time in the program's zone, the event shaded; the same numbers stand below as a table. */
export function Chart(props: ChartProps) {
  const box = useRef<HTMLDivElement>(null),
    plot = useRef<uPlot | undefined>(undefined),
    now = useRef(props)
  now.current = props
  const { times, lines, end, height = 300 } = props
  // each value holds over its whole interval: a point where it begins and one where it ends
  const ends = times.map((s, i) => times[i + 1] ?? end ?? s)
  const data = (): uPlot.AlignedData =>
    [times.flatMap((s, i) => [s, Math.max(s, (ends[i] as number) - 1)]), ...lines.map((l) => l.values.flatMap((v) => [v, v]))] as uPlot.AlignedData
  const shape = JSON.stringify([props.zone, lines.map((l) => l.key), locale])
  useEffect(() => {
    const el = box.current!
    const make = (): void => {
      plot.current?.destroy()
      const begun = performance.now()
      const ink = colour('--soft'),
        grid = colour('--line')
      const time = (s: number): string => when(s * 1000, now.current.zone, 'time')
      const options: uPlot.Options = {
        width: Math.max(200, el.clientWidth),
        height: now.current.height ?? height,
        cursor: { y: false, points: { size: 6 } },
        legend: { live: true, markers: { dash: (_u, i) => (now.current.lines[i - 1]?.dash ? 'dashed' : 'solid') } },
        scales: {
          x: { time: false },
          y: {
            range: (_u, low, high) => {
              const pad = Math.max(1, (high - low) * 0.08)
              return [Math.min(0, low - (low < 0 ? pad : 0)), high + pad]
            },
          },
        },
        axes: [
          {
            stroke: ink,
            grid: { stroke: grid, width: 1 },
            ticks: { stroke: grid },
            values: (_u, s) => s.map((v) => time(v)),
            incrs: [900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800],
            space: 64,
          },
          {
            stroke: ink,
            grid: { stroke: grid, width: 1 },
            ticks: { stroke: grid },
            values: (_u, s) => s.map((v) => plain(v)),
            size: 62,
            label: t('dispatch.kW'),
            labelSize: 18,
            labelFont: '12px system-ui',
          },
        ],
        series: [
          { label: t('dispatch.time'), value: (_u, v) => (v === null || v === undefined ? '–' : time(v)) },
          ...now.current.lines.map((l): uPlot.Series => ({
            label: t(l.key),
            stroke: colour(l.colour),
            width: l.width ?? 2,
            ...(l.dash ? { dash: [...l.dash] } : {}),
            points: { show: l.points ?? false },
            spanGaps: false,
            value: (_u, v) => (v === null || v === undefined ? '–' : `${plain(v)} kW`),
          })),
        ],
        hooks: {
          draw: [() => { el.dataset.drawnMs ??= (performance.now() - begun).toFixed(1) }],
          drawClear: [
            (u) => {
              const { band, now: at } = now.current,
                { ctx } = u
              ctx.save()
              if (band) {
                ctx.fillStyle = colour('--band')
                const a = u.valToPos(band.from, 'x', true),
                  b = u.valToPos(band.to, 'x', true)
                ctx.fillRect(a, u.bbox.top, b - a, u.bbox.height)
              }
              if (at !== undefined && at > (u.scales.x!.min ?? 0) && at < (u.scales.x!.max ?? 0)) {
                ctx.strokeStyle = ink
                ctx.setLineDash([2, 4])
                ctx.beginPath()
                const x = u.valToPos(at, 'x', true)
                ctx.moveTo(x, u.bbox.top)
                ctx.lineTo(x, u.bbox.top + u.bbox.height)
                ctx.stroke()
              }
              // a mark below the line where something is missing or was estimated: a sign, not only a colour
            ctx.fillStyle = colour('--warn')
            for (const { from } of now.current.marks ?? []) {
              const step = (now.current.times[1] ?? from + 900) - (now.current.times[0] ?? from),
                mx = u.valToPos(from + step / 2, 'x', true),
                my = u.bbox.top + u.bbox.height - 4,
                r = 5 * devicePixelRatio
              ctx.beginPath()
              ctx.moveTo(mx, my - r * 1.6)
              ctx.lineTo(mx + r, my)
              ctx.lineTo(mx - r, my)
              ctx.fill()
            }
            ctx.restore()
            },
          ],
        },
      }
      plot.current = new uPlot(options, data(), el)
      // drawn for eyes only: the table beside it carries the numbers
      el.querySelector('canvas')?.setAttribute('aria-hidden', 'true')
    }
    make()
    const wide = new ResizeObserver(() => plot.current?.setSize({ width: Math.max(200, el.clientWidth), height: now.current.height ?? height }))
    wide.observe(el)
    const dark = matchMedia('(prefers-color-scheme: dark)')
    dark.addEventListener('change', make)
    addEventListener('loadstone.theme', make)
    return () => {
      wide.disconnect()
      dark.removeEventListener('change', make)
      removeEventListener('loadstone.theme', make)
      plot.current?.destroy()
      plot.current = undefined
    }
  }, [shape])
  useEffect(() => {
    plot.current?.setData(data())
  }, [times, lines, end])
  return (
    <figure class="chart-box">
      <div class="chart" ref={box} role="img" aria-label={t(props.label)} translate={false} />
      {(props.marks?.length ?? 0) > 0 && (
        <p class="soft marks">
          {props.marks!.slice(0, 6).map((m) => (
            <span key={m.from} class="row">
              <span aria-hidden="true">▲</span> {when(m.from * 1000, props.zone, 'time')} {m.note}
            </span>
          ))}
          {props.marks!.length > 6 && <D>+{count(props.marks!.length - 6)}</D>}
        </p>
      )}
      <Numbers {...props} />
    </figure>
  )
}
