import type { Event, Interval, IntervalPeriod } from '#ven-client/openadr/objects.js'

type Json = Readonly<Record<string, unknown>>
const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)

/** OA-206: what has no id is no object of a VTN, and harms no other. */
export const isStored = (value: unknown): value is { readonly id: string } => isObject(value) && typeof value['id'] === 'string'

const isPeriod = (value: unknown): boolean => value === undefined || (isObject(value) && ['start', 'duration', 'randomizeStart'].every((m) => value[m] === undefined || typeof value[m] === 'string'))
const isPayload = (value: unknown): boolean => isObject(value) && typeof value['type'] === 'string' && Array.isArray(value['values'])
const isInterval = (value: unknown): boolean => isObject(value) && typeof value['id'] === 'number' && isPeriod(value['intervalPeriod']) && Array.isArray(value['payloads']) && value['payloads'].every(isPayload)
const isDescriptor = (value: unknown): boolean => isObject(value) && typeof value['payloadType'] === 'string'
const absent = (value: unknown): boolean => value === undefined || value === null
const listOf = (value: unknown, good: (item: unknown) => boolean): boolean => absent(value) || (Array.isArray(value) && value.every(good))
/** Undefined where there is no list, so that its absence counts. */
const kept = <T>(value: unknown, good: (item: unknown) => boolean): readonly T[] | undefined => (Array.isArray(value) ? value.filter(good) as T[] : undefined)

/**
 * OA-206: an event as far as it can be understood. What is not of the standard's shape where this client looks is left out, so that it neither
 * fails the event nor hides the others; an event that is as it should be comes back itself. Target lists are the dialect's to read.
 */
export function understood(event: Event): Event {
  const given = event as unknown as Json
  const good = isPeriod(given['intervalPeriod']) && listOf(given['intervals'], isInterval) && listOf(given['reportDescriptors'], isDescriptor) && listOf(given['payloadDescriptors'], isDescriptor)
    && (given['duration'] === undefined || typeof given['duration'] === 'string') && (absent(given['targets']) || Array.isArray(given['targets']))
  if (good) return event
  const { intervalPeriod, intervals, reportDescriptors, payloadDescriptors, duration, targets, ...rest } = given
  return {
    ...rest, ...(isObject(intervalPeriod) && isPeriod(intervalPeriod) ? { intervalPeriod: intervalPeriod as IntervalPeriod } : {}), ...(typeof duration === 'string' ? { duration } : {}),
    ...(Array.isArray(intervals) ? { intervals: intervals.filter((i) => isObject(i) && typeof i['id'] === 'number').map(interval) } : {}),
    reportDescriptors: kept(reportDescriptors, isDescriptor), payloadDescriptors: kept(payloadDescriptors, isDescriptor), targets: kept(targets, () => true),
  } as unknown as Event
}

function interval(given: Json): Interval {
  const { intervalPeriod, payloads, ...rest } = given
  return { ...rest, ...(intervalPeriod !== undefined && isPeriod(intervalPeriod) ? { intervalPeriod } : {}), payloads: kept(payloads, isPayload) ?? [] } as unknown as Interval
}
