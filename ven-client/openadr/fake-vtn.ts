import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Clock } from '#core/port/clock.js'
import type { Event, Program, Report, Resource, Stored, SubscriptionRequest, Ven } from '#ven-client/openadr/objects.js'

/** One scripted answer: taken by the next request that matches, instead of the real one. */
export interface Scripted {
  readonly method?: string
  readonly path?: RegExp
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  readonly times?: number
  /** Do it, but cut the connection before answering: the caller cannot know (OA-207). */
  readonly thenCut?: boolean
}

/**
 * A VTN in memory, for unit tests of a VEN: it keeps what it is given, hands out tokens and ETags, and fails on command.
 * It has no privacy, no validation and no conflicts but names; it is no VTN to build on.
 */
export interface FakeVtn {
  readonly url: string
  readonly requests: readonly { readonly method: string; readonly path: string; readonly at: number }[]
  readonly objects: { programs: Map<string, Program>; events: Map<string, Event>; reports: Map<string, Report>; vens: Map<string, Ven>; resources: Map<string, Resource>; subscriptions: Map<string, Stored & SubscriptionRequest> }
  /** Stores an event (or replaces it, when it has the id of a stored one) and stamps it with the fake's clock. */
  put(event: Omit<Event, 'id'> & { id?: string }): Event
  remove(eventID: string): void
  script(answer: Scripted): void
  /** Every token handed out so far stops working. */
  revokeTokens(): void
  close(): Promise<void>
}

type Kind = keyof FakeVtn['objects']
const kinds: readonly Kind[] = ['programs', 'events', 'reports', 'vens', 'resources', 'subscriptions']
const uniqueName: Partial<Record<Kind, string>> = { programs: 'programName', vens: 'venName', resources: 'resourceName' }

export async function fakeVtn(options: { clock: Clock; expires_in?: number }): Promise<FakeVtn> {
  const { clock } = options
  const objects: FakeVtn['objects'] = { programs: new Map(), events: new Map(), reports: new Map(), vens: new Map(), resources: new Map(), subscriptions: new Map() }
  const requests: { method: string; path: string; at: number }[] = []
  const scripts: { answer: Scripted; left: number }[] = []
  const good = new Map<string, string>()
  let count = 0
  const stamp = (): string => new Date(clock.nowMs()).toISOString()

  const server = createServer((incoming, response) => { void handle(incoming, response) })
  server.keepAliveTimeout = 60_000

  async function handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = []
    for await (const part of incoming) parts.push(part as Buffer)
    const body = Buffer.concat(parts).toString('utf8')
    const method = incoming.method ?? 'GET', address = new URL(incoming.url ?? '/', 'http://fake')
    requests.push({ method, path: address.pathname, at: clock.nowMs() })
    response.setHeader('date', new Date(clock.nowMs()).toUTCString())
    const scripted = scripts.find((s) => s.left > 0 && (!s.answer.method || s.answer.method === method) && (!s.answer.path || s.answer.path.test(address.pathname)))
    if (scripted) {
      scripted.left -= 1
      if (scripted.answer.thenCut) { answer(method, address, body, incoming); response.destroy(); return }
      response.writeHead(scripted.answer.status, { 'content-type': 'application/json', ...scripted.answer.headers })
      response.end(scripted.answer.body ?? JSON.stringify({ status: scripted.answer.status, title: 'scripted' }))
      return
    }
    const { status, value } = answer(method, address, body, incoming)
    const text = JSON.stringify(value ?? null)
    const etag = `"${createHash('sha256').update(text).digest('hex').slice(0, 16)}"`
    if (method === 'GET' && status === 200 && incoming.headers['if-none-match'] === etag) { response.writeHead(304, { etag }).end(); return }
    response.writeHead(status, { 'content-type': 'application/json', ...(method === 'GET' ? { etag } : {}) }).end(text)
  }

  function answer(method: string, address: URL, body: string, incoming: IncomingMessage): { status: number; value?: unknown } {
    if (address.pathname === '/auth/server') return { status: 200, value: { tokenURL: `${url}/auth/token` } }
    if (address.pathname === '/auth/token') return token(body)
    const caller = good.get((incoming.headers.authorization ?? '').replace(/^Bearer /, ''))
    if (caller === undefined) return problem(401, 'unknown token')
    const [, name, id] = address.pathname.split('/') as [string, Kind, string | undefined]
    if (address.pathname === '/notifiers') return { status: 200, value: { WEBHOOK: true } }
    if (!kinds.includes(name)) return problem(404, 'no such path')
    const held = objects[name] as Map<string, Stored>
    if (id !== undefined && !held.has(id)) return problem(404, 'no such object')
    if (method === 'GET') return { status: 200, value: id === undefined ? page([...held.values()], address.searchParams) : held.get(id) }
    if (method === 'DELETE' && id !== undefined) { const gone = held.get(id); held.delete(id); return { status: 200, value: gone } }
    return store(held, name, id, { ...JSON.parse(body) as Record<string, unknown>, ...(name === 'programs' || name === 'events' ? {} : { clientID: caller }) })
  }

  function token(body: string): { status: number; value?: unknown } {
    const form = new URLSearchParams(body)
    if (form.get('client_secret') === 'wrong') return { status: 401, value: { error: 'invalid_client' } }
    const access_token = `token-${++count}`
    good.set(access_token, form.get('client_id') ?? '')
    return { status: 200, value: { access_token, token_type: 'Bearer', expires_in: options.expires_in ?? 3600 } }
  }

  function store(held: Map<string, Stored>, name: Kind, id: string | undefined, given: Record<string, unknown>): { status: number; value?: unknown } {
    const unique = uniqueName[name]
    if (unique && [...held.values()].some((o) => o.id !== id && (o as unknown as Record<string, unknown>)[unique] === given[unique])) return problem(409, `${unique} is taken`)
    if (name === 'reports' && !objects.events.has(String(given.eventID))) return problem(409, 'no such event')
    const made = {
      ...given, id: id ?? `${name}-${++count}`, objectType: name.slice(0, -1).toUpperCase(),
      createdDateTime: held.get(id ?? '')?.createdDateTime ?? stamp(), modificationDateTime: stamp(),
    }
    held.set(made.id, made)
    return { status: id === undefined ? 201 : 200, value: made }
  }

  const problem = (status: number, detail: string): { status: number; value: unknown } => ({ status, value: { type: 'about:blank', title: 'refused', status, detail } })

  function page(all: readonly Stored[], query: URLSearchParams): readonly Stored[] {
    const asked = ['eventID', 'programID', 'clientName', 'venID', 'venName'].filter((f) => query.has(f))
    const fits = all.filter((o) => asked.every((f) => (o as unknown as Record<string, unknown>)[f] === query.get(f)))
    const skip = Number(query.get('skip') ?? 0), limit = Number(query.get('limit') ?? 50)
    return fits.slice(skip, skip + limit)
  }

  await new Promise<void>((done) => { server.listen(0, '127.0.0.1', done) })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url, requests, objects,
    put: (event) => store(objects.events, 'events', event.id ?? `event-${++count}`, event as unknown as Record<string, unknown>).value as Event,
    remove: (id) => { objects.events.delete(id) },
    script: (one) => { scripts.push({ answer: one, left: one.times ?? 1 }) },
    revokeTokens: () => { good.clear() },
    close: () => new Promise((done) => { server.close(() => done()); server.closeAllConnections() }),
  }
}
