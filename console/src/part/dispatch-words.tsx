import { power, when } from '../format.ts'
import { t } from '../text/index.ts'
import type { Brief, Dispatch } from '../types.ts'
import { D, State } from './basics.tsx'

/** "Reduce 2 MW": the sign in words (users.md §9). */
export const orderWords = (kW: number, direction: 'down' | 'up'): string =>
  t(direction === 'down' ? 'dispatch.reduce' : 'dispatch.increase', { power: power(Math.abs(kW)) })

export function window(start: string, end: string, zone: string): string {
  return when(start, zone, 'day') === when(end, zone, 'day')
    ? `${when(start, zone)}–${when(end, zone, 'time')}`
    : `${when(start, zone)} – ${when(end, zone)}`
}

/** Which way an order of a program goes: its own direction, or by its sign in a program with both. */
export const directionOf = (d: Dispatch, program: 'down' | 'up' | 'both' = 'down'): 'down' | 'up' =>
  (program === 'up') === d.power_kW >= 0 ? 'up' : 'down'

export function BriefCard({ of: b, zone }: { of: Brief; zone: string }) {
  return (
    <a class="card link row" href={`#/dispatches/${b.id}`}>
      <State of={b.state} />
      <strong>{orderWords(b.ordered_kW, b.direction)}</strong>
      <D>
        {window(b.start, b.end, zone)} <span class="soft">{zone}</span>
      </D>
    </a>
  )
}
