import { Refusal, type Fault } from '#core/error.js'
import type { Content } from '#vtn/stored.js'
import type { EventRequest } from '#vtn/wire/event.js'
import type { ProgramRequest } from '#vtn/wire/program.js'

/** Dutch Grid Aware Charging 2.1 (OA-260): checked for programs of this type, nothing else is touched. */
const programType = 'DSO_CPO_INTERFACE-2.1.1'
const ean18 = /^\d{18}$/
const venNamePattern = /^[A-Z]{2}-?[A-Z0-9]{3}$/

type Attributes = ProgramRequest['attributes']
const attribute = (attributes: Attributes | undefined, type: string): unknown => attributes?.find((a) => a.type === type)?.values[0]
const isGac = (attributes: Attributes | undefined): boolean => attribute(attributes, 'PROGRAM_TYPE') === programType

const refuse = (faults: readonly Fault[]): void => {
  if (faults.length) throw new Refusal('invalid', `Grid Aware Charging 2.1: ${faults.map((f) => `${f.path} ${f.reason}`).join('; ')}`, { faults })
}

export function checkProgram(program: ProgramRequest): void {
  if (!isGac(program.attributes)) return
  const faults: Fault[] = []
  const retailer = attribute(program.attributes, 'RETAILER_NAME')
  if (typeof retailer !== 'string' || retailer.length < 2 || retailer.length > 128) faults.push({ path: '/attributes', reason: 'needs RETAILER_NAME of 2 … 128 characters' })
  if (attribute(program.attributes, 'BINDING_EVENTS') !== true) faults.push({ path: '/attributes', reason: 'needs BINDING_EVENTS true' })
  refuse(faults)
}

export function checkEvent(program: Content, event: EventRequest): void {
  if (!isGac(program['attributes'] as Attributes)) return
  const faults: Fault[] = []
  const say = (path: string, reason: string): void => void faults.push({ path, reason })
  const intervals = event.intervals ?? []
  if (event.priority !== undefined && event.priority !== null) say('/priority', 'must be absent')
  const own = intervals.filter((i) => i.intervalPeriod).length
  if (event.intervalPeriod ? own > 0 : own !== intervals.length) say('/intervalPeriod', 'either one for the event or one in each interval')
  if (!event.targets?.length || !event.targets.every((t) => ean18.test(t))) say('/targets', 'must be EAN codes of 18 digits')
  const [descriptor, ...more] = event.payloadDescriptors ?? []
  if (more.length || descriptor?.payloadType !== 'IMPORT_CAPACITY_LIMIT' || descriptor.units !== 'KW') say('/payloadDescriptors', 'must be exactly IMPORT_CAPACITY_LIMIT in KW')
  if (!intervals.length) say('/intervals', 'must have at least one')
  if (intervals.some((interval, i) => i > 0 && interval.id <= (intervals[i - 1]?.id ?? 0))) say('/intervals', 'ids must rise')
  if (intervals.some((i) => i.payloads.length !== 1 || i.payloads[0]?.values.length !== 1)) say('/intervals', 'must have one payload with one value each')
  refuse(faults)
}

/** A VEN of the profile: country and party in its name, connections as targets. */
export function venFaults(venName: string, targets: readonly string[]): Fault[] {
  const faults: Fault[] = []
  const country = venName.slice(0, 2)
  const known = venNamePattern.test(venName) && new Intl.DisplayNames('en', { type: 'region', fallback: 'none' }).of(country) !== undefined
  if (!known) faults.push({ path: '/venName', reason: 'must be country and party, e.g. NL-ABC' })
  if (!targets.every((t) => ean18.test(t))) faults.push({ path: '/targets', reason: 'must be EAN codes of 18 digits' })
  return faults
}

/**
 * What a VEN falls back on when it hears nothing. Interpretation of OA-260 ("a safe-mode event must exist in the program"): an event of
 * the profile that never ends, so that every connection it names has a limit at any time.
 */
export const isSafeMode = (event: EventRequest): boolean =>
  [event.duration, event.intervalPeriod?.duration, ...(event.intervals ?? []).map((i) => i.intervalPeriod?.duration)].some((d) => d?.startsWith('P9999Y'))

/** Connections (EAN codes) that events name and no safe-mode event covers. */
export function withoutSafeMode(program: Content, events: readonly EventRequest[]): string[] {
  if (!isGac(program['attributes'] as Attributes)) return []
  const covered = new Set(events.filter(isSafeMode).flatMap((e) => e.targets ?? []))
  return [...new Set(events.flatMap((e) => e.targets ?? []))].filter((target) => !covered.has(target)).toSorted()
}
