import type { Ids } from '#core/port/ids.js'
import type { Log } from '#core/port/log.js'
import type { Payload } from './outgoing.js'
import type { Session } from './session.js'
import type { Version } from './version.js'

export interface SessionLimits {
  readonly callTimeoutMs: number
  readonly queue: number
  readonly badFrames: number
  readonly badFrameWindowMs: number
  readonly rememberedAnswers: number
  /** Waiting CALLs of a station that does not wait for answers; then we stop reading until they are done. */
  readonly inbox: number
  readonly pauseAtBytes: number
  readonly closeAtBytes: number
}

export const sessionLimits: SessionLimits = {
  callTimeoutMs: 30_000, queue: 200, badFrames: 50, badFrameWindowMs: 60_000, rememberedAnswers: 100, inbox: 16,
  pauseAtBytes: 1 << 20, closeAtBytes: 8 << 20,
}

/** What a session asks of the rest of the server. */
export interface SessionNeeds {
  readonly log: Log
  readonly ids: Ids
  readonly nowMs: () => number
  readonly limits: SessionLimits
  /** Is the action ours to answer: `yes`, known but not offered, or never heard of (OCPP-057). */
  offered(action: string, version: Version): 'yes' | 'notSupported' | 'unknown'
  /** May the station say this now (registration, OCPP-083…085)? */
  mayHear(session: Session, action: string): boolean
  /** May we say this now (OCPP-082, 084)? */
  mayCall(session: Session, action: string): boolean
  answer(session: Session, action: string, payload: Payload): object | Promise<object>
  /** An unanswered SEND of 2.1. */
  hear(session: Session, action: string, payload: Payload): void
  record(session: Session, direction: 'in' | 'out', text: string): void
  gone(session: Session): void
  alarm(session: Session, what: string): void
}
