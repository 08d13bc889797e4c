import { when } from '../format.ts'
import { zone } from '../session.ts'
import { Time } from './basics.tsx'

/** A period is half-open: it ends where the next begins. People name its last day. */
const lastMoment = (to: string | number): number => new Date(to).getTime() - 1

/** "Mon, Nov 30, 2026", or the first and the last day of more than one. */
export function periodWords(from: string | number, to: string | number, z: string): string {
  const [first, last] = [when(from, z, 'day'), when(lastMoment(to), z, 'day')]
  return first === last ? first : `${first} – ${last}`
}

export const Period = ({ from, to, in: z = zone() }: { from: string; to: string; in?: string | undefined }) => (
  <span>
    <Time at={from} in={z} style="day" />
    {when(from, z, 'day') !== when(lastMoment(to), z, 'day') && (
      <>
        {' '}
        – <Time at={lastMoment(to)} in={z} style="day" />
      </>
    )}
  </span>
)
