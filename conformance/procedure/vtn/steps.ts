import type { Matcher, Procedure, Step } from '#conformance/procedure.js'

/** Words that make VTN procedures short. Only data comes out of here. */
export type Expect = Readonly<Record<string, Matcher>>
type More = Partial<Pick<Step, 'save' | 'should' | 'needs' | 'within_ms'>> & { readonly query?: object; readonly json?: unknown; readonly headers?: object; readonly text?: string }
export const either = ['3.1.1', '3.0.1'], newer = ['3.1.1'], older = ['3.0.1']

export function call(as: string, method: string, path: string, expect: Expect, more: More = {}): Step {
  const { save, should, needs, within_ms, ...rest } = more
  return {
    say: `${method} ${path} as ${as}${more.query ? ` with ${JSON.stringify(more.query)}` : ''}`, do: 'vtn.request', with: { as, method, path, ...rest }, expect,
    ...(save ? { save } : {}), ...(should ? { should } : {}), ...(needs ? { needs } : {}), ...(within_ms ? { within_ms } : {}),
  }
}

/** An answer of OA-050: a Problem whose status is the HTTP status, without a trace of our insides. */
export const problem = (...statuses: number[]): Expect => ({
  'status': { oneOf: statuses }, 'headers.content-type': { matches: 'json' }, 'body.status': { oneOf: statuses }, 'body.title': { exists: true },
  // Left out it is about:blank (OpenADR 3.1.1 YAML, problem).
  'body.type': { any: [{ exists: false }, { matches: '^(about:blank|[a-z][a-z0-9+.-]*:.+)$' }] },
  'text': { not: { matches: '\\bat .+\\.[jt]s:\\d+|SELECT .+ FROM|node_modules' } },
})

/** What the caller may not see: the standard hides it and leaves open whether by 404 or 403; our own door says 404 (OA-101). */
export const hidden = problem(403, 404)

/** A capability of targets that took the decisions of our requirement list where the standard is silent (its P lines); nobody else is held to them. */
export const ours = { needs: ['decisions'] } as const
export const decided = { needs: 'decisions' } as const

export const makeProgram = (more: object = {}, name = 'program', as = 'bl'): Step =>
  call(as, 'POST', '/programs', { status: 201 }, { json: { programName: `\${run} ${name}`, ...more }, save: { [name]: 'body.id' } })

export const makeEvent = (more: object = {}, name = 'event', program = 'program'): Step =>
  call('bl', 'POST', '/events', { status: 201 }, { json: { programID: `\${${program}}`, eventName: `\${run} ${name}`, ...hours(1), ...more }, save: { [name]: 'body.id' } })

/** `n` hourly price intervals from half an hour ago. */
export const hours = (n: number): object => ({
  intervalPeriod: { start: '${iso-1800}', duration: 'PT1H' }, intervals: Array.from({ length: n }, (_, id) => ({ id, payloads: [{ type: 'PRICE', values: [0.1 * (id + 1)] }] })),
})

/** The two VENs of the target, each with its own targets; saved as `ven` and `ven2`. */
export const venWith = (as: 'ven' | 'ven2', targets: readonly string[]): Step =>
  call('bl', 'POST', '/vens', { status: 201 }, { json: { objectType: 'BL_VEN_REQUEST', clientID: `\${${as}_id}`, venName: `\${run} ${as}`, targets }, save: { [as]: 'body.id' } })

export const noVens: Step = { say: 'no ven object of our clients is left', do: 'vtn.noVens', with: {} }

export const listen = (name = 'receiver', more: object = {}): Step => ({ say: `a receiver '${name}' listens on loopback`, do: 'receiver.listen', with: { name, ...more }, save: { [name]: 'url' } })

export const subscribe = (as: string, objects: readonly string[], more: object = {}, operations: readonly string[] = ['CREATE', 'UPDATE', 'DELETE'], name = 'receiver'): Step =>
  call(as, 'POST', '/subscriptions', { status: 201 }, { json: { clientName: `\${run} ${as}`, objectOperations: [{ objects, operations, callbackUrl: `\${${name}}`, bearerToken: 'a-bearer-token' }], ...more }, save: { [`subscription_${as}`]: 'body.id' } })

export const arrives = (where: Readonly<Record<string, Matcher>>, expect: Expect = {}, name = 'receiver'): Step =>
  ({ say: `a notification like ${JSON.stringify(where)} arrives at '${name}'`, do: 'receiver.expect', with: { name, where, timeout_ms: 5000 }, expect: { arrived: true, ...expect } })

export const staysAway = (where: Readonly<Record<string, Matcher>>, name = 'receiver', after_ms = 700): Step =>
  ({ say: `no notification like ${JSON.stringify(where)} comes to '${name}'`, do: 'receiver.count', with: { name, where, after_ms }, expect: { count: 0 } })

export const proc = (profiles: readonly string[], id: string, title: string, requirements: string, clause: string, steps: readonly Step[], more: Partial<Procedure> = {}): Procedure =>
  ({ id, title, requirements: requirements.split(' '), clause, profiles, steps, ...more })
