import { spawn } from 'node:child_process'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { at, mismatch } from '#conformance/match.js'
import type { Matcher } from '#conformance/procedure.js'
import type { Action, RunContext } from '#conformance/runner.js'
import { hostCertificate } from '#conformance/driver/pki.js'

/** One rudeness: what is answered to requests that look like `when` instead of the right thing, `times` times (default for ever). */
interface Rude { readonly when: string; readonly status?: number; readonly text?: string; readonly headers?: Record<string, string>; readonly delay_ms?: number; readonly cut?: boolean; times?: number }
interface Seen { readonly method: string; readonly path: string; readonly query: Record<string, string>; readonly headers: IncomingMessage['headers']; readonly body: unknown; readonly at_ms: number; status?: number }
type Row = Record<string, unknown> & { id: string }

/** A VTN of our own that a client under test talks to: right by default, wrong where a procedure says so, and it writes down everything. */
interface Vtn {
  readonly rows: Record<string, Row[]>
  readonly rude: Rude[]
  readonly seen: Seen[]
  /** Everything since the start, also what a step has taken. */
  readonly ever: Seen[]
  readonly waiting: (() => void)[]
  readonly expires_in: number
  readonly base: string
  /** 3.0.1: resources below their ven, no /auth/server, 403 without a token. */
  readonly older: boolean
  url: string
  version: number
  made: number
  tokens: number
}

const vtns = new WeakMap<RunContext, Vtn>()
const vtnOf = (context: RunContext): Vtn => {
  const found = vtns.get(context)
  if (!found) throw new Error('no VTN was started in this procedure')
  return found
}

/** `ven.vtn {events?, programs?, vens?, resources?, rude?, expires_in?, tls?}` → `{url}`: begins to listen; with `tls` under a certificate that nobody trusts. Port: value `listen` of the target when the client is set up by hand. */
export const startVtn: Action = async (args, context) => {
  const list = (name: string): Row[] => ((args[name] as Record<string, unknown>[] | undefined) ?? []).map((row, i) => complete(name, row, i + 1, context))
  const vtn: Vtn = {
    rows: { programs: list('programs'), events: list('events'), vens: list('vens'), resources: list('resources'), reports: list('reports'), subscriptions: [] },
    rude: ((args.rude as Rude[] | undefined) ?? []).map((r) => ({ ...r })), seen: [], ever: [], waiting: [], expires_in: Number(args.expires_in ?? 3600), base: `/openadr3/${context.target.profile}`, older: context.target.profile === '3.0.1', url: '', version: 1, made: 0, tokens: 0,
  }
  const handle = (request: IncomingMessage, response: ServerResponse): void => { void answer(vtn, request, response, context) }
  const server = args.tls ? createTlsServer(await hostCertificate(context.nowMs()), handle) : createServer(handle)
  await new Promise<void>((ready, failed) => { server.once('error', failed); server.listen(Number(context.target.values['listen'] ?? 0), '127.0.0.1', ready) })
  context.onEnd(() => { server.closeAllConnections(); server.close() })
  vtn.url = `${args.tls ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}${vtn.base}`
  vtns.set(context, vtn)
  return { url: vtn.url }
}

const typeOf: Readonly<Record<string, string>> = { programs: 'PROGRAM', events: 'EVENT', vens: 'VEN', resources: 'RESOURCE', reports: 'REPORT', subscriptions: 'SUBSCRIPTION' }

function complete(name: string, row: Record<string, unknown>, n: number, context: RunContext): Row {
  const moment = new Date(context.nowMs()).toISOString()
  return { id: `${name.slice(0, -1)}-${n}`, createdDateTime: moment, modificationDateTime: moment, ...row, objectType: typeOf[name] }
}

async function answer(vtn: Vtn, request: IncomingMessage, response: ServerResponse, context: RunContext): Promise<void> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  const url = new URL(request.url ?? '/', 'http://vtn')
  const path = url.pathname.startsWith(vtn.base) ? url.pathname.slice(vtn.base.length) : url.pathname
  const text = Buffer.concat(parts).toString()
  const seen: Seen = { method: request.method ?? '', path, query: Object.fromEntries(url.searchParams), headers: request.headers, body: bodyOf(text, request.headers['content-type']), at_ms: context.nowMs() }
  writeDown(vtn, seen, context)
  const rude = vtn.rude.find((r) => (r.times ?? 1) > 0 && new RegExp(`^${r.when}$`).test(`${seen.method} ${path}`))
  if (rude) {
    if (rude.times !== undefined) rude.times -= 1
    if (rude.delay_ms) await new Promise((wake) => setTimeout(wake, rude.delay_ms))
    if (rude.cut) { request.socket.destroy(); return }
    if (rude.status !== undefined) { seen.status = rude.status; response.writeHead(rude.status, { 'content-type': 'application/json', ...rude.headers }).end(rude.text ?? JSON.stringify({ type: 'about:blank', title: 'rude', status: rude.status })); return }
  }
  const [status, body, headers] = right(vtn, seen, context)
  seen.status = status
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body === undefined ? '' : JSON.stringify(body))
}

function writeDown(vtn: Vtn, seen: Seen, context: RunContext): void {
  const judged = context.tamper?.request?.(seen)
  if (judged !== null) for (const log of [vtn.seen, vtn.ever]) log.push(judged ? { ...seen, ...judged } as Seen : seen)
  for (const wake of vtn.waiting.splice(0)) wake()
}

function bodyOf(text: string, type?: string): unknown {
  if (type?.includes('urlencoded')) return Object.fromEntries(new URLSearchParams(text))
  try { return JSON.parse(text) } catch { return text || undefined }
}

/** What a correct VTN answers to a VEN. */
function right(vtn: Vtn, { method, path, query, headers, body }: Seen, context: RunContext): [number, unknown, Record<string, string>?] {
  const problem = (status: number, title: string, extra: Record<string, string> = {}): [number, unknown, Record<string, string>] => [status, { type: 'about:blank', title, status }, extra]
  if (path === '/auth/server' && !vtn.older) return [200, { tokenURL: `${vtn.url}/auth/token` }]
  if (path === '/auth/token') { vtn.tokens += 1; return [200, { access_token: `token-${vtn.tokens}`, token_type: 'Bearer', expires_in: vtn.expires_in, scope: 'read_targets read_ven_objects write_reports write_subscriptions write_vens' }, { 'cache-control': 'no-store' }] }
  if (!/^Bearer token-\d+$/.test(headers.authorization ?? '')) return vtn.older ? problem(403, 'no token') : problem(401, 'no token', { 'www-authenticate': 'Bearer realm="test", error="invalid_token"' })
  if (path === '/notifiers' && !vtn.older) return [200, { WEBHOOK: true }]
  const nested = vtn.older ? /^\/vens\/([^/]+)\/resources(?:\/([^/]+))?$/.exec(path) : null
  const [, name = '', id] = nested ? ['', 'resources', nested[2]] : path.split('/')
  const rows = vtn.rows[name]
  if (!rows) return problem(404, 'no such path')
  if (method === 'GET' && id === undefined) {
    const etag = `"${name}-${vtn.version}-${JSON.stringify(query)}"`
    if (headers['if-none-match'] === etag) return [304, undefined, { etag }]
    const skip = Number(query['skip'] ?? 0), limit = Math.min(50, Number(query['limit'] ?? 50))
    const wanted = rows.filter((r) => ['programID', 'eventID', 'venID', 'venName', 'resourceName', 'clientName'].every((key) => query[key] === undefined || r[key] === query[key]))
    return [200, wanted.slice(skip, skip + limit), { etag }]
  }
  const found = rows.find((r) => r.id === id)
  if (method === 'POST' && id === undefined) {
    const given = { ...(body as Record<string, unknown>), ...(nested ? { venID: nested[1] } : {}) } as Record<string, unknown>
    const key = ({ vens: 'venName', resources: 'resourceName' } as Record<string, string>)[name]
    if (key && rows.some((r) => r[key] === given[key])) return problem(409, `the ${key} is taken`)
    vtn.made += 1
    const row = complete(name, { ...given, id: `made-${name}-${vtn.made}`, clientID: 'ven_client' }, 0, context)
    rows.push(row)
    vtn.version += 1
    return [201, row]
  }
  if (!found) return problem(404, 'no such object')
  if (method === 'GET') return [200, found]
  if (method === 'PUT') { Object.assign(found, body, { modificationDateTime: new Date(context.nowMs()).toISOString() }); vtn.version += 1; return [200, found] }
  if (method === 'DELETE') { rows.splice(rows.indexOf(found), 1); vtn.version += 1; return [200, found] }
  return problem(405, 'method')
}

/**
 * `ven.start {word_ms?}`: runs the target's `command` with `{url}`, `{clientId}`, `{secret}` filled in and waits so long for its first word (60 s); without a command the
 * client is expected to be running already.
 */
export const startClient: Action = async (args, context) => {
  const given = context.target.values['command'] as string[] | undefined
  if (!given) return { started: false, byHand: true }
  const command = context.tamper?.command?.(given) ?? given
  const vtn = vtnOf(context), { url } = vtn
  const put = (word: string): string => word.replaceAll('{url}', url).replaceAll('{clientId}', 'ven_client').replaceAll('{secret}', '999')
  const child = spawn(put(command[0] as string), command.slice(1).map(put), { env: { ...process.env, LOADSTONE_VEN_SECRET: '999' }, stdio: ['ignore', 'pipe', 'pipe'] })
  let ended: number | null | undefined
  child.on('exit', (code) => { ended = code })
  child.on('error', () => { ended = -1 })
  clients.set(context, () => ended)
  context.onEnd(() => { child.kill('SIGKILL') })
  await firstWord(vtn, () => ended === undefined, Number(args.word_ms ?? 60_000))
  return { started: true, pid: child.pid }
}

/** A program takes its time to start, on a busy machine many seconds: what follows counts from its first word. */
async function firstWord(vtn: Vtn, runs: () => boolean, within_ms: number): Promise<void> {
  const deadline = performance.now() + within_ms
  while (vtn.seen.length === 0 && runs() && performance.now() < deadline) {
    await new Promise<void>((wake) => { const timer = setTimeout(wake, 250); vtn.waiting.push(() => { clearTimeout(timer); wake() }) })
  }
}

const clients = new WeakMap<RunContext, () => number | null | undefined>()

/** `ven.saw {where: {method, path, …}, timeout_ms?, after?}`: waits for a request that fits and takes it → `{arrived, …}`; `stillRunning` tells of the client. */
export const saw: Action = async (args, context) => {
  const vtn = vtnOf(context)
  const deadline = performance.now() + Number(args.timeout_ms ?? 8000)
  const where = Object.entries(args.where as Record<string, Matcher>)
  const running = (): boolean => clients.get(context)?.() === undefined
  for (;;) {
    const index = vtn.seen.findIndex((one) => where.every(([path, wanted]) => mismatch(at(one, path), wanted) === undefined))
    if (index >= 0) {
      const [one] = vtn.seen.splice(0, index + 1).slice(-1)
      return { arrived: true, stillRunning: running(), ...one }
    }
    const left = deadline - performance.now()
    if (left <= 0 || !running()) return { arrived: false, stillRunning: running(), saw: vtn.seen.map((s) => `${s.method} ${s.path}`) }
    await new Promise<void>((wake) => { const timer = setTimeout(wake, Math.min(left, 250)); vtn.waiting.push(() => { clearTimeout(timer); wake() }) })
  }
}

/** `ven.count {where, after_ms, ever?}` → `{count, times}`: how many fitting requests came in that time from now, or with `ever` since the start. */
export const count: Action = async (args, context) => {
  const vtn = vtnOf(context)
  if (args.ever !== true) vtn.seen.splice(0)
  await new Promise((wake) => setTimeout(wake, Number(args.after_ms)))
  const fitting = (args.ever === true ? vtn.ever : vtn.seen).filter((one) => Object.entries(args.where as Record<string, Matcher>).every(([path, wanted]) => mismatch(at(one, path), wanted) === undefined))
  return { count: fitting.length, times: fitting.map((f) => f.at_ms), stillRunning: clients.get(context)?.() === undefined }
}

/** `ven.set {events?, remove?, rude?}`: the VTN's state changes from now on. */
export const set: Action = async (args, context) => {
  const vtn = vtnOf(context)
  for (const [name, rows] of Object.entries(args).filter(([n]) => n in vtn.rows)) vtn.rows[name] = (rows as Record<string, unknown>[]).map((row, i) => complete(name, row, i + 1, context))
  if (args.rude) vtn.rude.splice(0, vtn.rude.length, ...(args.rude as Rude[]).map((r) => ({ ...r })))
  vtn.version += 1
  vtn.seen.splice(0)
  return { version: vtn.version, reports: vtn.rows['reports'], vens: vtn.rows['vens'] }
}
