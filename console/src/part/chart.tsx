import { useEffect, useRef } from 'preact/hooks'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { count, when } from '../format.ts'
import { locale, t, type Key } from '../text/index.ts'
import { D } from './basics.tsx'
import { Numbers } from './chart-numbers.tsx'
import { plotOptions } from './plot-options.ts'

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

const wideEnough = (el: Element): number => Math.max(200, el.clientWidth)

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
      const options = plotOptions(wideEnough(el), now.current.height ?? height, () => now.current, () => { el.dataset.drawnMs ??= (performance.now() - begun).toFixed(1) })
      plot.current = new uPlot(options, data(), el)
      // drawn for eyes only: the table beside it carries the numbers
      el.querySelector('canvas')?.setAttribute('aria-hidden', 'true')
    }
    make()
    const wide = new ResizeObserver(() => plot.current?.setSize({ width: wideEnough(el), height: now.current.height ?? height }))
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
