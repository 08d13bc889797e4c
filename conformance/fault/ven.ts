import type { Planted } from '#conformance/fault/planted.js'
import type { ClientRequest, Tamper } from '#conformance/runner.js'

type Change = (request: ClientRequest) => ClientRequest | null | undefined
const ven = (name: string, caughtBy: string, request: Change): Planted => ({ name, subject: 'ven', profile: caughtBy.endsWith('.301') || caughtBy === 'ven.renew.403' ? '3.0.1' : '3.1.1', caughtBy, tamper: { request } satisfies Tamper })
const is = (r: ClientRequest, method: string, path: string): boolean => r.method === method && r.path === path
/** The body of what it POSTs there, otherwise. */
const body = (path: string, change: (body: never) => unknown): Change => (r) => (is(r, 'POST', path) ? { ...r, body: change(r.body as never) } : undefined)
const lost = (method: string, path: string): Change => (r) => (is(r, method, path) ? null : undefined)
/** From the n-th on it is not sent any more. */
const after = (n: number, method: string, path: string): Change => { let sent = 0; return (r) => (is(r, method, path) && (sent += 1) > n ? null : undefined) }
interface Report { readonly resources: readonly { readonly intervals: readonly { readonly id: number; readonly payloads: readonly object[] }[] }[] }
const intervals = (report: Report, change: (one: { id: number; payloads: readonly object[] }) => object): object => ({ ...report, resources: report.resources.map((r) => ({ ...r, intervals: r.intervals.map(change) })) })

const started = (name: string, caughtBy: string, command: (words: readonly string[]) => readonly string[]): Planted => ({ name, subject: 'ven', profile: '3.1.1', caughtBy, tamper: { command } })

/** Clients that are wrong in one way: the client under test is right, and what it sent is written down otherwise. */
export const plantedVens: readonly Planted[] = [
  ven('the secret stands in the address', 'ven.token', (r) => (is(r, 'POST', '/auth/token') ? { ...r, query: { client_secret: '999' } } : undefined)),
  ven('the token is sent without its scheme', 'ven.token', (r) => (r.headers['authorization'] ? { ...r, headers: { ...r.headers, authorization: 'token-1' } } : undefined)),
  ven('it makes no ven object', 'ven.register', lost('POST', '/vens')),
  ven('its ven object grants itself targets', 'ven.register', body('/vens', (b: object) => ({ ...b, targets: ['everything'] }))),
  ven('it makes a second ven object', 'ven.register.known', (() => { let polls = 0; return (r: ClientRequest) => (is(r, 'GET', '/events') && (polls += 1) === 2 ? { ...r, method: 'POST', path: '/vens' } : undefined) })()),
  ven('its resource belongs to no ven', 'ven.resources', body('/resources', ({ venID: _v, ...b }: Record<string, unknown>) => b)),
  ven('it polls once', 'ven.poll', after(1, 'GET', '/events')),
  ven('it reads two pages and no more', 'ven.pages', (r) => (r.query['skip'] === '100' ? null : undefined)),
  ven('refused, it asks on with the old token', 'ven.renew.401', (r) => (r.headers['authorization'] === 'Bearer token-2' ? { ...r, headers: { ...r.headers, authorization: 'Bearer token-1' } } : undefined)),
  ven('it lets its token expire', 'ven.renew.expiry', after(1, 'POST', '/auth/token')),
  ven('an error of the VTN ends it', 'ven.rude.500', after(1, 'GET', '/events')),
  ven('an unknown payload ends it', 'ven.event.unknown-payload', after(1, 'GET', '/events')),
  ven('a report names no event', 'ven.report', body('/reports', ({ eventID: _e, ...b }: Record<string, unknown>) => b)),
  ven('a report numbers intervals itself', 'ven.report', body('/reports', (b: Report) => intervals(b, (one) => ({ ...one, id: 0 })))),
  ven('a failed report is sent again without a look', 'ven.report.retry', lost('GET', '/reports')),
  ven('each report covers all intervals', 'ven.report.each', body('/reports', (b: Report) => intervals(b, (one) => ({ ...one, id: 0 })))),
  ven('it reports what nobody asked for', 'ven.report.unasked', (() => { let polls = 0; return (r: ClientRequest) => (is(r, 'GET', '/events') && (polls += 1) === 5 ? { ...r, method: 'POST', path: '/reports', body: {} } : undefined) })()),
  ven('implied intervals are not counted', 'ven.report.implied', after(1, 'POST', '/reports')),
  started('it trusts any certificate', 'ven.tls.stranger', (words) => [...words, '--insecure']),
  ven('a sum goes by the name of a resource', 'ven.report.aggregate', body('/reports', (b: Report) => ({ ...b, resources: b.resources.map((r) => ({ ...r, resourceName: 'meter' })) }))),
  ven('an opt-out is told as normal', 'ven.report.opt-out', body('/reports', (b: Report) => intervals(b, (one) => ({ ...one, payloads: [{ type: 'OPERATING_STATE', values: ['RUNNING_NORMAL'] }] })))),
  ven('a report of 3.0.1 names no program', 'ven.report.301', body('/reports', ({ programID: _p, ...b }: Record<string, unknown>) => b)),
  ven('a resource of 3.0.1 stands beside its ven', 'ven.resources.301', (r) => (/^\/vens\/[^/]+\/resources$/.test(r.path) ? { ...r, path: '/resources' } : undefined)),
  ven('a ven of 3.0.1 is told in the form of 3.1', 'ven.register.301', body('/vens', (b: object) => ({ ...b, objectType: 'VEN_VEN_REQUEST' }))),
  ven('refused with 403 on 3.0.1, it asks on with the old token', 'ven.renew.403', (r) => (r.headers['authorization'] === 'Bearer token-2' ? { ...r, headers: { ...r.headers, authorization: 'Bearer token-1' } } : undefined)),
]
