import type { Availability } from '#core/availability/availability.js'
import type { Caller } from '#core/caller.js'
import type { Happening } from '#core/dispatch/delivery.js'
import type { Protocol, Resource } from '#core/program/resource.js'
import type { ReadingInput, RecordResult } from '#core/reading/reading.js'

/** The single door for measurement (style.md §10 row 10). Resolves after commit; throws `invalid` naming every bad row, storing none. */
export interface ReadingIntake {
  record(caller: Caller, rows: readonly ReadingInput[]): Promise<RecordResult>
}

/** Device words about deliveries: one happening, one state table (CORE-102). Unknown or repeated happenings change nothing. */
export interface DeliveryHappenings {
  happened(happenings: readonly Happening[]): Promise<void>
}

export interface AvailabilityIntake {
  declare(caller: Caller, rows: readonly Availability[]): Promise<void>
}

/** An opt-out that no delivery carries: for a period or until told otherwise (CORE-110, CORE-093). Epoch seconds; `to` null = open. */
export interface OptOutIntake {
  optOut(caller: Caller, optOut: { resource: string; from: number; to: number | null; reason: string; source: 'app' | 'device' | 'ven' | 'response' }): Promise<void>
}

/** What a device says that its load would be, without any order; Wh, consumption positive, epoch seconds. */
export interface BaselineClaim {
  readonly start: number
  readonly end: number
  readonly Wh: number
}

/** CORE-093: only a claim. `lineage` names the message and its version: the same one again changes nothing. */
export interface ClaimIntake {
  claim(caller: Caller, claim: { resource: string; claims: readonly BaselineClaim[]; source: string; lineage: string }): Promise<void>
}

/**
 * A device that says it still holds measurements which it has not sent: verification of what it took part in waits until it has told all
 * (`until` null), or until `until` (epoch seconds) at the latest, so that a queue that never empties holds nobody's money for ever.
 */
export interface UntoldIntake {
  untold(tenant: string, resource: string, until: number | null): Promise<void>
}

/** Which core resource a device of a protocol is. `evseId` narrows OCPP stations with several EVSEs. */
export interface ResourceDirectory {
  byRemote(tenant: string, protocol: Protocol, remoteId: string, evseId?: number): Promise<Resource | undefined>
}
