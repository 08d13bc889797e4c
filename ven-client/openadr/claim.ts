import type { Event, PayloadDescriptor, ValuesMap } from '#ven-client/openadr/objects.js'
import { intervalsBetween, partsOf, type Placement } from '#ven-client/openadr/interval.js'
import type { Claim } from '#ven-client/timeline.js'

/** What one event says about a stretch of time. */
export interface Said {
  readonly event: Event
  readonly intervalID: number
  readonly payload: ValuesMap
  readonly units: string | undefined
}

/** The program's descriptors are defaults, those of the event win (OpenADR 3.1 Definition, payload descriptors). */
const unitsOf = (event: Event, type: string, defaults: readonly PayloadDescriptor[]): string | undefined =>
  [...event.payloadDescriptors ?? [], ...defaults].find((d) => d.payloadType === type)?.units ?? undefined

/**
 * OA-168: lower priority number wins, none at all loses against any; equal: newest createdDateTime, then id.
 * Only payloads compete, so a report-only event hides nothing.
 */
export function claimsOf(event: Event, placement: Placement, from: number, to: number, defaults: readonly PayloadDescriptor[] = []): Claim<Said>[] {
  const rank = [event.priority ?? Infinity, -(Date.parse(event.createdDateTime ?? '') || 0), event.id]
  const claims: Claim<Said>[] = []
  for (const interval of intervalsBetween(placement, from, to)) {
    for (const part of partsOf(interval)) {
      claims.push({
        topic: part.payload.type, start: part.start, end: part.end, rank, source: event.id,
        value: { event, intervalID: interval.id, payload: part.payload, units: unitsOf(event, part.payload.type, defaults) },
      })
    }
  }
  return claims
}

/** Untargeted events are everybody's; a targeted one is a resource's when they, or the VEN and it, share a target (OA-102, OA-104). */
export function addresses(event: Event, resourceTargets: readonly string[], venTargets: readonly string[]): boolean {
  const targets = event.targets ?? []
  return targets.length === 0 || targets.some((t) => resourceTargets.includes(t) || venTargets.includes(t))
}
