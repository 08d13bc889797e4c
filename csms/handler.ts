import type { Version } from '#csms/rpc/version.js'
import type { Station } from './station.js'

/**
 * What we do when a station says something: one file in `message/` each, one line in `registry.ts`. The payload has passed the
 * official schema; the type parameter names the members that the handler reads.
 */
export interface Handler<P = never> {
  readonly action: string
  /** Absent: every version that knows the action. */
  readonly versions?: readonly Version[]
  readonly handle: (station: Station, payload: P) => object | Promise<object>
}

export const handler = <P>(action: string, handle: (station: Station, payload: P) => object | Promise<object>, versions?: readonly Version[]): Handler<P> =>
  ({ action, handle, ...(versions ? { versions } : {}) })

export const in16 = ['1.6'] as const
export const in2x = ['2.0.1', '2.1'] as const
