import type { Clock } from '#core/port/clock.js'
import type { Journal } from '#csms/journal.js'
import type { LocalLists } from '#csms/local-list.js'
import type { Passwords } from '#csms/password.js'
import type { Payload } from '#csms/rpc/outgoing.js'
import type { Station, Variable } from '#csms/station.js'
import type { Untold } from '#csms/untold.js'

export interface EffectNeeds {
  readonly clock: Clock
  readonly journal: Journal
  readonly passwords: Passwords
  readonly localLists: LocalLists
  readonly untold: Untold
  /** A CALL that follows from an answer; nobody waits for it. */
  ask(station: Station, action: string, payload: object): void
}

/** What follows from a station's answer to a message of ours. */
export type Effect = (station: Station, request: Payload, answer: Payload, needs: EffectNeeds) => Promise<void>

/** One element of an answer in lists (B05, B06, N04). */
export interface Result {
  readonly attributeType?: string
  readonly attributeStatus: string
  readonly attributeValue?: string
  readonly component: Variable['component']
  readonly variable: Variable['variable']
}

export const store = (station: Station, { journal }: Pick<EffectNeeds, 'journal'>): Promise<void> => journal.write([station.document()])
