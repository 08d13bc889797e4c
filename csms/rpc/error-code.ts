import type { Version } from './version.js'

/** CALLERROR codes in the spelling of 2.x (OCPP 2.0.1 Part 4, 4.3). */
export type Code =
  | 'FormatViolation' | 'GenericError' | 'InternalError' | 'MessageTypeNotSupported' | 'NotImplemented' | 'NotSupported'
  | 'OccurrenceConstraintViolation' | 'PropertyConstraintViolation' | 'ProtocolError' | 'RpcFrameworkError' | 'SecurityError'
  | 'TypeConstraintViolation'

/** OCPP-059: 1.6 prints two names with misprints that will not be changed, and knows two others not at all. */
const in16: Partial<Record<Code, string>> = {
  FormatViolation: 'FormationViolation',
  OccurrenceConstraintViolation: 'OccurenceConstraintViolation',
  RpcFrameworkError: 'ProtocolError',
  MessageTypeNotSupported: 'GenericError',
}

export const spell = (code: Code, version: Version): string => (version === '1.6' ? in16[code] ?? code : code)

/** A CALL that failed: refused by the station, unanswered, or answered with something that is no answer. */
export class CallFailed extends Error {
  /** `station`: its CALLERROR; the others never got a usable answer. */
  readonly reason: 'station' | 'timeout' | 'closed' | 'InvalidResponse' | 'replaced' | 'expired' | 'full'
  readonly code: string
  readonly details: object

  constructor(reason: CallFailed['reason'], code: string, description: string, details: object = {}) {
    super(description)
    this.name = 'CallFailed'
    this.reason = reason
    this.code = code
    this.details = details
  }
}

/** A CALLERROR that a message handler wants to send: for transport, security and unsupported things only (OCPP-060). */
export class CallRefused extends Error {
  readonly code: Code
  constructor(code: Code, description = '') {
    super(description)
    this.name = 'CallRefused'
    this.code = code
  }
}
