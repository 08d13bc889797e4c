import type { DERControlValue, Program } from '#ven-client/csip/discover.js'
import { uniformOf } from '#ven-client/random.js'
import { compareRank, type Claim } from '#ven-client/timeline.js'

/** One mode of a DERControl or DefaultDERControl, as it stands in the XML. */
export interface Mode {
  readonly name: string
  readonly value: unknown
  readonly mRID: string
  /** Undefined for a program's default. */
  readonly control: DERControlValue | undefined
}

/** Where an event stands for this device (section 7 of the requirements, device side). */
export interface EventLine {
  readonly control: DERControlValue
  readonly primacy: number
  /** Effective, after our own draws; epoch ms. */
  readonly start: number
  readonly end: number
  readonly cancelledAt: number | undefined
  /** Superseded from here on, by the server's word or by another program of ours (SEP-075, SEP-076). */
  readonly supersededAt: number | undefined
}

const scheduled = 0, cancelled = 2, cancelledRandomly = 3, superseded = 4
export { scheduled }

/** A draw between 0 and the signed range, the same for this device and event at every poll and after a restart. */
const draw = (lfdi: string, mRID: string, what: string, range: number | undefined): number =>
  Math.round(uniformOf(`${lfdi}\n${mRID}\n${what}`) * (range ?? 0) * 1000)

function lineOf(control: DERControlValue, primacy: number, lfdi: string): EventLine {
  const start = control.interval.start * 1000 + draw(lfdi, control.mRID, 'start', control.randomizeStart)
  // randomizeStart moves the start only: the end is drawn by randomizeDuration on the scheduled duration
  const end = start + control.interval.duration * 1000 + draw(lfdi, control.mRID, 'duration', control.randomizeDuration)
  const { currentStatus, dateTime } = control.EventStatus
  const stop = dateTime * 1000
  return {
    control, primacy, start, end: Math.max(start, end),
    cancelledAt: currentStatus === cancelled ? stop
      : currentStatus === cancelledRandomly ? stop + Math.abs(draw(lfdi, control.mRID, 'duration', control.randomizeDuration)) : undefined,
    supersededAt: currentStatus === superseded ? stop : undefined,
  }
}

const rankOf = (line: EventLine): readonly (number | string)[] =>
  // lower primacy number wins; equal primacy: the later creation (SEP-075, SEP-076)
  [line.primacy, -line.control.creationTime, line.control.mRID]

const endOf = (line: EventLine): number => Math.min(line.end, line.cancelledAt ?? Infinity, line.supersededAt ?? Infinity)

export const modesOf = (control: { DERControlBase: object }): [string, unknown][] =>
  Object.entries(control.DERControlBase).filter(([name, value]) => name.startsWith('opMod') && value !== undefined)

/**
 * The events of all programs of this device. An event loses to a better one that has a mode of its own and overlaps: it ends where the
 * better one starts and does not come back (SEP-075, and SEP-076 between programs, where the server leaves it to us).
 */
export function eventLines(programs: readonly Program[], lfdi: string): EventLine[] {
  const lines = programs.flatMap(({ program, controls }) => controls.map((c) => lineOf(c, program.primacy, lfdi)))
  const unique = [...new Map(lines.sort((a, b) => b.primacy - a.primacy).map((l) => [l.control.mRID, l])).values()]  // one event, one mRID (SEP-064)
  const standing: EventLine[] = []
  for (const line of unique.sort((a, b) => compareRank(rankOf(a), rankOf(b)))) {
    const names = new Set(modesOf(line.control).map(([name]) => name))
    const winners = standing.filter((w) => endOf(w) > line.start && w.start < endOf(line) && modesOf(w.control).some(([name]) => names.has(name)))
    const at = Math.min(...winners.map((w) => Math.max(w.start, line.start)), line.supersededAt ?? Infinity)
    standing.push(at === Infinity ? line : { ...line, supersededAt: at })
  }
  return standing
}

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
