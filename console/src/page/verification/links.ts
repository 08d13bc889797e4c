import type { Dispatch } from '../../types.ts'

const hour_ms = 3_600_000
const around = (iso: string, ms: number): string => new Date(Date.parse(iso) + ms).toISOString()

/** The readings of one service point from an hour before an event to an hour after it, the event shaded. */
export const readingsOf = (point: string, d: Dispatch): string =>
  `#/readings/${point}?${new URLSearchParams({ from: around(d.start, -hour_ms), to: around(d.end, hour_ms), start: d.start, end: d.end })}`
