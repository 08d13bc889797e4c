import type { Matcher, Procedure, Step } from '#conformance/procedure.js'

/** Words that make CSMS procedures short. */
export type Expect = Readonly<Record<string, Matcher>>
export const v201 = ['2.0.1'], v21 = ['2.1'], v2 = [...v201, ...v21], v16 = ['1.6'], any = [...v2, ...v16]
export const step = (action: string, say: string, args: object, expect?: Expect, more: Partial<Step> = {}): Step => ({ say, do: action, with: args as Record<string, unknown>, ...(expect ? { expect } : {}), ...more })

/** That of the profile under test: the same procedures hold for 2.0.1 and 2.1. */
export const subprotocol = '${subprotocol}'
export const connect = ({ id = '${station}', password = '${password}', ...more }: Record<string, unknown> = {}, expect: Expect = { status: 101, protocol: subprotocol }): Step =>
  step('ocpp.connect', `station ${String(id)} connects`, { id, as: 'cs', password, subprotocols: [subprotocol], ...more }, expect)

export const bootPayload = (version: string): object => version === '1.6' ? { chargePointVendor: 'Conformance', chargePointModel: 'M1', chargePointSerialNumber: 'S1' } : { reason: 'PowerUp', chargingStation: { vendorName: 'Conformance', model: 'M1', serialNumber: 'S1' } }
export const boot = (version: string): Step => step('ocpp.call', 'BootNotification', { as: 'cs', action: 'BootNotification', payload: bootPayload(version) }, { type: 'CALLRESULT', 'payload.status': 'Accepted', 'payload.interval': { atLeast: 1 }, 'payload.currentTime': { matches: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d{1,3})?(Z|[+-]00:00)$' } })
/** A station that is connected and accepted. */
export const up = (version: string, more: Record<string, unknown> = {}): Step[] => [connect(more), boot(version)]

export const call = (action: string, payload: unknown, expect: Expect = {}, more: Partial<Step> = {}): Step => step('ocpp.call', `CALL ${action}`, { as: 'cs', action, payload }, { type: 'CALLRESULT', ...expect }, more)
export const error = (action: string, payload: unknown, codes: readonly string[], expect: Expect = {}): Step => step('ocpp.call', `CALL ${action} that is wrong`, { as: 'cs', action, payload }, { type: 'CALLERROR', code: { oneOf: codes }, ...tidy, ...expect })
/** OCPP-061: what every CALLERROR looks like. */
export const tidy: Expect = { description: { matches: '^.{0,255}$' }, details: { exists: true }, frame: { not: { matches: 'SELECT|\\.ts:|node_modules' } } }

/** OCPP-058, OCPP-059: any error of the class "schema", in the spelling of the version. */
export const schemaErrors = (version: string): readonly string[] => version === '1.6'
  ? ['FormationViolation', 'OccurenceConstraintViolation', 'OccurrenceConstraintViolation', 'TypeConstraintViolation', 'PropertyConstraintViolation', 'ProtocolError', 'FormatViolation']
  : ['FormatViolation', 'OccurrenceConstraintViolation', 'TypeConstraintViolation', 'PropertyConstraintViolation', 'ProtocolError']

/** The moments in a message are those of one instant, however long the steps take that name it. */
export const fixed = (payload: unknown): Step => step('value', 'the message', { message: payload }, undefined, { save: { message: 'message' } })

/** The CSMS is asked by its operator's API to send a message: an optional adapter (OCPP-226). */
export const order = (action: string, payload: unknown, reply: unknown, expect: Expect = {}, answer: Expect = { status: 200 }): Step[] => [
  fixed(payload),
  step('operator.request', `operator: send ${action}`, { method: 'POST', path: `/stations/\${station}/ocpp/${action}`, json: '${message}', later: action }),
  step('ocpp.expect', `the CSMS sends ${action}`, { as: 'cs', action, reply, payload: '${message}' }, { action, ...expect }),
  step('operator.result', `operator: the answer to ${action} came through`, { of: action }, answer),
]

export const proc = (profiles: readonly string[], id: string, title: string, requirements: string, clause: string, steps: readonly Step[], more: Partial<Procedure> = {}): Procedure =>
  ({ id, title, requirements: requirements.split(' '), clause, profiles, steps, ...more })
