import type { Station } from '#csms/station.js'

/** One failing check of a message that an operator wants to send: the requirement, and what is wrong (contract §6). */
export interface Check {
  readonly check: string
  readonly detail: string
}

export interface RuleFacts {
  readonly nowMs: number
  readonly assumedStackLevel: number
  readonly masterGroup: string | undefined
  /** Group of the request's idToken, as we know it. */
  readonly tokenGroup: string | undefined
  readonly force: boolean
}

/** A rule of the standard that binds a CSMS: what is wrong with this payload for this station now. Pure. */
export type Rule = (station: Station, payload: never, facts: RuleFacts) => Check[]

export const when = (wrong: boolean, check: string, detail: string): Check[] => (wrong ? [{ check, detail }] : [])
