import type uPlot from 'uplot'
import { plain, when } from '../format.ts'
import { t } from '../text/index.ts'
import type { ChartProps, Line } from './chart.tsx'
import { colour } from './plot-colour.ts'
import { ground } from './plot-ground.ts'

/** Steps of the time axis in seconds: a quarter of an hour to a week. */
const steps = [900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800]

/** Zero is always in sight, and nothing touches the upper edge. */
const range: uPlot.Range.Function = (_u, low, high) => {
  const pad = Math.max(1, (high - low) * 0.08)
  return [Math.min(0, low - (low < 0 ? pad : 0)), high + pad]
}

/** The legend shows a line as it is drawn, so that two of one colour are told apart. */
const marker = (line: Line | undefined): string => (line?.dash ? ((line.dash[0] ?? 0) <= 3 ? 'dotted' : 'dashed') : 'solid')

const series = (l: Line): uPlot.Series => ({
  label: t(l.key),
  stroke: colour(l.colour),
  width: l.width ?? 2,
  ...(l.dash ? { dash: [...l.dash] } : {}),
  points: { show: l.points ?? false },
  spanGaps: false,
  value: (_u, v) => (v === null || v === undefined ? '–' : `${plain(v)} kW`),
})

/** How uPlot draws a chart of power over time. `props` is asked anew at each drawing; `drawn` is told when one is done. */
export function plotOptions(width: number, height: number, props: () => ChartProps, drawn: () => void): uPlot.Options {
  const ink = colour('--soft'),
    grid = colour('--line'),
    time = (s: number): string => when(s * 1000, props().zone, 'time'),
    axis = { stroke: ink, grid: { stroke: grid, width: 1 }, ticks: { stroke: grid } }
  return {
    width,
    height,
    cursor: { y: false, points: { size: 6 } },
    legend: { live: true, markers: { dash: (_u, i) => marker(props().lines[i - 1]) } },
    scales: { x: { time: false }, y: { range } },
    axes: [
      { ...axis, values: (_u, s) => s.map(time), incrs: steps, space: 64 },
      { ...axis, values: (_u, s) => s.map((v) => plain(v)), size: 62, label: t('dispatch.kW'), labelSize: 18, labelFont: '12px system-ui' },
    ],
    series: [{ label: t('dispatch.time'), value: (_u, v) => (v === null || v === undefined ? '–' : time(v)) }, ...props().lines.map(series)],
    hooks: { draw: [drawn], drawClear: [(u) => ground(u, props())] },
  }
}
