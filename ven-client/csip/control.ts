import type { DERControlValue, Program } from '#ven-client/csip/discover.js'
import { endOf, eventLinesOf, rankOf, type Line } from '#ven-client/csip/event-line.js'
import type { Claim } from '#ven-client/timeline.js'

/** One mode of a DERControl or DefaultDERControl, as it stands in the XML. */
export interface Mode {
  readonly name: string
  readonly value: unknown
  readonly mRID: string
  /** Undefined for a program's default. */
  readonly control: DERControlValue | undefined
}

/** A DERControl and where it stands for this device. */
export type EventLine = Line<DERControlValue>

export const modesOf = (control: { DERControlBase: object }): [string, unknown][] =>
  Object.entries(control.DERControlBase).filter(([name, value]) => name.startsWith('opMod') && value !== undefined)

/** The DERControls of all programs of this device, by the rules of section 7. */
export const eventLines = (programs: readonly Program[], lfdi: string): EventLine[] =>
  eventLinesOf(programs.map(({ program, controls }) => ({ primacy: program.primacy, events: controls })), lfdi, (c) => modesOf(c).map(([name]) => name))

/** What each mode is told over time: events by rank, below them each program's default for as long as there is no event. */
export function modeClaims(lines: readonly EventLine[], programs: readonly Program[]): Claim<Mode>[] {
  const events = lines.flatMap((line) => modesOf(line.control).map(([name, value]) => ({
    topic: name, start: line.start, end: endOf(line), rank: rankOf(line), source: line.control.mRID,
    value: { name, value, mRID: line.control.mRID, control: line.control },
  })))
  const defaults = programs.flatMap(({ program, defaultControl }) => defaultControl === undefined ? [] : modesOf(defaultControl).map(([name, value]) => ({
    topic: name, start: 0, end: null, rank: [1000 + program.primacy, 0, defaultControl.mRID], source: defaultControl.mRID,
    value: { name, value, mRID: defaultControl.mRID, control: undefined },
  })))
  return [...events, ...defaults]
}

/** Value × 10^multiplier (SEP-030). */
export const scaled = (pair: unknown): number | undefined => {
  const { multiplier, value } = (pair ?? {}) as { multiplier?: unknown; value?: unknown }
  return typeof multiplier === 'number' && typeof value === 'number' ? value * 10 ** multiplier : undefined
}
