import type { Meter, MeterMemory } from '#sim/meter.js'

/** How a simulated device behaves (contract §2 `--behave`). */
export type Behaviour = 'well-behaved' | 'silent' | 'late' | 'optout' | 'reject' | 'garbage'
export const behaviours: readonly Behaviour[] = ['well-behaved', 'silent', 'late', 'optout', 'reject', 'garbage']

/** What a device says that it did: its own diary, for a check of the server's view. */
export interface Diary {
  readonly name: string
  readonly protocol: 'openadr' | 'ieee2030_5' | 'ocpp'
  readonly behaviour: Behaviour
  connected: boolean
  ordersSeen: number
  ordersFollowed: number
  optedOut: number
  rejected: number
  readingsSent: number
  lastError: string | null
}

export interface SimDevice {
  readonly name: string
  readonly servicePoint: string
  readonly diary: Diary
  readonly meter: Meter
  /** What a real device keeps over a loss of power; plain data, for `remembered` of the next process. */
  memory(): DeviceMemory
  stop(): Promise<void>
}

/** A device's non-volatile memory: its register, its diary, and what its kind keeps besides. */
export interface DeviceMemory {
  readonly diary: Diary
  readonly meter?: MeterMemory | undefined
  readonly kept?: unknown
}

/** A new diary, or the old one opened again: what it counted stays counted. */
export const diaryOf = (name: string, protocol: Diary['protocol'], behaviour: Behaviour, before?: Diary): Diary =>
  before ? { ...before, connected: false, lastError: null } : ({ name, protocol, behaviour, connected: false, ordersSeen: 0, ordersFollowed: 0, optedOut: 0, rejected: 0, readingsSent: 0, lastError: null })

/** A late device acts and answers so much after the moment it should. */
export const lateness_ms = 6 * 60_000
