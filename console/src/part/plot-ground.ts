import type uPlot from 'uplot'
import type { ChartProps } from './chart.tsx'
import { colour } from './plot-colour.ts'

/** What lies under the lines: the event shaded, now as a dotted line, a sign where numbers are to be taken with care. */
export function ground(u: uPlot, props: ChartProps): void {
  u.ctx.save()
  shade(u, props)
  nowLine(u, props)
  signs(u, props)
  u.ctx.restore()
}

function shade(u: uPlot, { band }: ChartProps): void {
  if (!band) return
  const from = u.valToPos(band.from, 'x', true)
  u.ctx.fillStyle = colour('--band')
  u.ctx.fillRect(from, u.bbox.top, u.valToPos(band.to, 'x', true) - from, u.bbox.height)
}

function nowLine(u: uPlot, { now }: ChartProps): void {
  if (now === undefined || now <= (u.scales.x!.min ?? 0) || now >= (u.scales.x!.max ?? 0)) return
  const x = u.valToPos(now, 'x', true)
  u.ctx.strokeStyle = colour('--soft')
  u.ctx.setLineDash([2, 4])
  u.ctx.beginPath()
  u.ctx.moveTo(x, u.bbox.top)
  u.ctx.lineTo(x, u.bbox.top + u.bbox.height)
  u.ctx.stroke()
}

/** A triangle at the foot of an interval where something is missing or was estimated: a sign, not only a colour. */
function signs(u: uPlot, { times, marks = [] }: ChartProps): void {
  const r = 5 * devicePixelRatio,
    step = (times[1] ?? 900) - (times[0] ?? 0),
    y = u.bbox.top + u.bbox.height - 4
  u.ctx.fillStyle = colour('--warn')
  for (const { from } of marks) {
    const x = u.valToPos(from + step / 2, 'x', true)
    u.ctx.beginPath()
    u.ctx.moveTo(x, y - r * 1.6)
    u.ctx.lineTo(x + r, y)
    u.ctx.lineTo(x - r, y)
    u.ctx.fill()
  }
}
