import type { Procedure, Step } from '#conformance/procedure.js'
import { boot, bootPayload, connect, type Expect, step } from '#conformance/procedure/csms/steps.js'

/** A station of this procedure alone, made by the operator's API: what it learns of it troubles nobody else. */
const password = 'a-long-enough-password-1'
export const made = (more: object = {}): Step => step('operator.request', 'operator: a new station', { method: 'POST', path: '/stations', json: { id: '${run}', securityProfile: 1, password, ...more } }, { status: 201 })
export const joins = (more: Record<string, unknown> = {}): Step => connect({ id: '${run}', password, ...more })
export const fresh = (version: string, more: Record<string, unknown> = {}): Step[] => [made(), joins(more), boot(version)]
export const boots = (version: string, status: string, expect: Expect = {}): Step =>
  step('ocpp.call', `BootNotification is ${status}`, { as: 'cs', action: 'BootNotification', payload: bootPayload(version) }, { type: 'CALLRESULT', 'payload.status': status, 'payload.interval': { atLeast: 1 }, ...expect })

/** The operator asks the CSMS to send something to that station; it goes on beside the next steps. */
export const ask = (action: string, payload: unknown, of = action): Step => step('operator.request', `operator: send ${action}`, { method: 'POST', path: `/stations/\${run}/ocpp/${action}`, json: payload, later: of })
export const comes = (action: string, reply: unknown, expect: Expect = {}, more: Partial<Step> = {}): Step => step('ocpp.expect', `the CSMS sends ${action}`, { as: 'cs', action, reply }, { action, ...expect }, more)
export const heard = (of: string, expect: Expect = { status: 200 }): Step => step('operator.result', `operator: what came of ${of}`, { of }, expect)
/** 422 with the rule's name, and nothing on the wire (contract §6). */
export const refused = (action: string, payload: unknown, why: string): Step => step('operator.request', `operator: ${action}: ${why}`, { method: 'POST', path: `/stations/\${run}/ocpp/${action}`, json: payload }, { status: 422, 'body.checks.length': { atLeast: 1 } })
export const silence = (ms = 400): Step => step('ocpp.quiet', 'nothing reached the station', { as: 'cs', ms }, { calls: { equals: [] } })

/** What a station says about itself: component, variable, instance?, value, characteristics. */
export const says = (...rows: readonly (readonly [component: string, variable: string, value: string, more?: { instance?: string; characteristics?: object; mutability?: string }])[]): Step =>
  step('ocpp.call', `NotifyReport of ${rows.map((r) => r[1]).join(', ')}`, { as: 'cs', action: 'NotifyReport', payload: {
    requestId: 1, generatedAt: '${iso}', seqNo: 0, reportData: rows.map(([component, variable, value, more = {}]) => ({
      component: { name: component }, variable: { name: variable, ...(more.instance ? { instance: more.instance } : {}) }, variableAttribute: [{ type: 'Actual', value, ...(more.mutability ? { mutability: more.mutability } : {}) }], ...(more.characteristics ? { variableCharacteristics: more.characteristics } : {}),
    })),
  } }, { type: 'CALLRESULT' })

export const stations: Partial<Procedure> = { needs: ['operator-stations', 'operator-ocpp'] }
