import { createHash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Method } from '#core/describe/resource.js'
import { admit } from '#csip-server/admit.js'
import { makeCodec, type Codec } from '#csip-server/codec.js'
import type { CsipContext } from '#csip-server/context.js'
import { derive, type Derivation } from '#csip-server/derive.js'
import { makeDevices, type Devices } from '#csip-server/devices.js'
import { faultOf, HttpFault, reason, type Fault } from '#csip-server/error-map.js'
import type { Peer } from '#csip-server/identity.js'
import { pageOf } from '#csip-server/page.js'
import { setPollRate } from '#csip-server/poll-rate.js'
import { makeRefusalLog } from '#csip-server/refusal-log.js'
import { makeRouter, type Routed } from '#csip-server/route.js'
import { Error as ErrorResource } from '#csip-server/wire/error.js'
import { formOf, type Exchange, type Doc, type Seen, type Served, type Value } from '#csip-server/served.js'

export interface DoorRequest {
  readonly method: string
  /** Path and query as they came. */
  readonly target: string
  readonly peer: Peer
  readonly accept?: string | undefined
  readonly contentType?: string | undefined
  readonly body?: Buffer | undefined
  /** Host and port that the client asked for. */
  readonly host?: string | undefined
}

export interface Answer {
  readonly status: number
  readonly location?: string
  readonly allow?: string
  readonly retryAfter?: number
  readonly body?: Buffer
  /** Template of the address, for metrics. */
  readonly route?: string
}

/** The protocol without its transport: the mTLS listener and the operator's routes both ask here. */
export interface Door {
  handle(request: DoorRequest): Answer | Promise<Answer>
  readonly devices: Devices
  readonly derivation: Derivation
  readonly codec: Codec
  readonly registry: readonly Served[]
  look(peer: Peer, path: string): Promise<Seen>
  readsOf(served: Served): readonly string[]
  /** Forgets every answer it keeps: for what changed that is no document, the server's own names. */
  forget(): void
}

interface Kept { readonly answer: Answer; readonly stamp: number; readonly until: number; readonly reads: readonly string[]; epoch: number; first: number }

const templateOf = (served: Served): string => served.resource.href?.template ?? served.name

export function makeDoor(ctx: CsipContext, registry: readonly Served[], devices: Devices = makeDevices(ctx)): Door {
  const codec = makeCodec(ctx.config.profile, ctx.config.strictSchema)
  const refused = makeRefusalLog(ctx.clock, ctx.log)
  const router = makeRouter(registry)
  const derivation = derive(ctx, registry)
  const reads = new Map(registry.map((s) => [s, derivation.readsOf(s)]))
  const cache = new LRUCache<string, Kept>({ maxSize: 256 * 2 ** 20, sizeCalculation: (k) => 512 + (k.answer.body?.length ?? 0) })
  const flights = new Map<string, Promise<Answer>>()
  const stampOf = (kinds: readonly string[]): number => {
    let sum = 0
    // Revisions start near 2^51: five of them added up would lose the very one that was raised.
    for (const kind of kinds) sum += ctx.documents.revision(ctx.tenant, kind) % 1_099_511_627_776
    return sum
  }

  // Most requests come between two changes of anything: then one revision is asked for instead of ten (SEP-250). It is asked for since a store that
  // hears nothing from other processes gives each question another number.
  let epoch = 0
  ctx.documents.onChange(() => { epoch++ })
  const firstOf = (kinds: readonly string[]): number => ctx.documents.revision(ctx.tenant, kinds[0] ?? '')
  function fresh(kept: Kept): boolean {
    const first = firstOf(kept.reads)
    if (kept.epoch === epoch && kept.first === first) return true
    if (kept.stamp !== stampOf(kept.reads)) return false
    kept.epoch = epoch
    kept.first = first
    return true
  }

  function exchange(peer: Peer, params: Readonly<Record<string, string>>, endDevice?: Doc, host?: string) {
    let until = Infinity
    const make = (p: Readonly<Record<string, string>>): Exchange => ({
      ctx, peer, devices, host, params: p, ...(endDevice ? { endDevice } : {}), at: make, look, until: (t) => { if (t < until) until = t },
    })
    return { x: make(params), until: () => until }
  }

  const route = (path: string): Routed | undefined => {
    if (ctx.config.dcapPath !== '/dcap' && path === ctx.config.dcapPath) return router('/dcap')
    return router(path)
  }

  const item = (served: Served): Served | undefined => registry.find((s) => s.resource === served.resource.lists?.item && !s.resource.lists)
  /** What a subscriber is told of: the value without counts that are somebody else's news. */
  function watched(served: Served, value: Value): Value {
    const quiet = (served.resource.lists ? item(served) : served)?.quietCounts, member = served.resource.lists?.member
    if (!quiet) return value
    const hushed = (v: Value): Value => ({ ...v, ...Object.fromEntries(quiet.filter((l) => v[l] !== undefined).map((l) => [l, { href: '' }])) })
    return member === undefined ? hushed(value) : { ...value, [member]: ((value[member] as Value[] | undefined) ?? []).map(hushed) }
  }

  /** Lists are looked at as far as the server's maximum. */
  async function look(peer: Peer, path: string): Promise<Seen> {
    const inside = normal(path, ctx.config.prefix)
    const routed = inside === undefined ? undefined : route(inside)
    if (!routed) throw new HttpFault(404)
    const { served, params } = routed
    const { x, until } = exchange(peer, params, await admit(ctx, devices, peer, served, params))
    const value = served.resource.lists ? await derivation.list(served, x, { s: 0, l: ctx.config.listMax, a: undefined }) : await derivation.value(served, x)
    const fingerprint = value === undefined ? 'gone' : createHash('sha256').update(codec.write(served.resource, watched(served, value))).digest('base64')
    return { served, value, fingerprint, until: until() }
  }

  /** One Buffer per (client, address) while nothing that it is made of has changed (stack.md "Cache rule"). */
  function get(request: DoorRequest): Answer | Promise<Answer> {
    const key = `${request.peer.lfdi || `\n${request.peer.user}`} ${request.target}`
    const kept = cache.get(key)
    if (kept && fresh(kept) && ctx.clock.now() < kept.until) return kept.answer
    if (request.target.length > 2048) throw new HttpFault(414)
    const flying = flights.get(key)
    if (flying) return flying
    const made = build(request, key).finally(() => flights.delete(key))
    flights.set(key, made)
    return made
  }

  async function build(request: DoorRequest, key: string): Promise<Answer> {
    const { routed, query } = find(request)
    const { served, params } = routed
    const may = allowed(served, request.peer)
    if (!may.includes(request.method as Method)) throw new HttpFault(405, reason.format, { allow: [...new Set(may)].join(', ') })
    const kinds = reads.get(served) ?? []
    const begun = { epoch, first: firstOf(kinds) }, stamp = stampOf(kinds)
    const endDevice = await admit(ctx, devices, request.peer, served, params)
    const { x, until } = exchange(request.peer, params, endDevice)
    const value = served.resource.lists
      ? await derivation.list(served, x, pageOf(query, ctx.config.listMax))
      : await derivation.value(served, x)
    if (!value) throw new HttpFault(404)
    const answer: Answer = { status: 200, body: codec.write(formOf(served, value), value, await editionOf(request.peer)), route: templateOf(served) }
    cache.set(key, { answer, stamp, until: until(), reads: kinds, ...begun })
    return answer
  }

  /** SEP-035: a client of the 2013 edition is answered in its own words. */
  const editionOf = async (peer: Peer): Promise<2013 | undefined> =>
    peer.kind === 'device' && (await devices.byLfdi(peer.lfdi))?.body.edition === 2013 ? 2013 : undefined

  /** SEP-044: below a prefix that we had before. */
  function moved(target: string): Answer | undefined {
    const former = ctx.config.formerPrefixes.find((p) => p !== ctx.config.prefix && target.startsWith(`${p}/`) && !(ctx.config.prefix.startsWith(p) && target.startsWith(`${ctx.config.prefix}/`)))
    return former === undefined ? undefined : { status: 301, location: ctx.config.prefix + target.slice(former.length) }
  }

  function find(request: DoorRequest): { routed: Routed; query: URLSearchParams } {
    if (request.target.length > 2048) throw new HttpFault(414)
    const at = request.target.indexOf('?')
    const raw = at < 0 ? request.target : request.target.slice(0, at)
    const path = normal(raw, raw.startsWith('/.well-known/') ? '' : ctx.config.prefix)
    const routed = path === undefined ? undefined : route(path)
    if (!routed || (routed.served.atRoot === true && ctx.config.prefix !== '' && !raw.startsWith('/.well-known/'))) throw new HttpFault(404)
    return { routed, query: new URLSearchParams(at < 0 ? '' : request.target.slice(at + 1)) }
  }

  /** SEP-040: what works on this address for this client. */
  const allowed = (served: Served, peer: Peer): readonly Method[] =>
    peer.kind === 'operator' ? [...served.resource.methods, ...(served.operator ?? [])] : served.resource.methods

  async function write(request: DoorRequest): Promise<Answer> {
    const { routed: { served, params } } = find(request)
    if (request.method === 'PUT' && request.peer.kind === 'operator' && served.pollRate && !allowed(served, request.peer).includes('PUT')) return retime(served, request)
    const may = allowed(served, request.peer)
    if (!may.includes(request.method as Method)) throw new HttpFault(405, reason.format, { allow: [...new Set(may)].join(', ') })
    const endDevice = await admit(ctx, devices, request.peer, served, params)
    const { x } = exchange(request.peer, params, endDevice, request.host)
    if (request.method === 'DELETE') {
      await derivation.remove(served, x)
      return { status: 204, route: templateOf(served) }
    }
    const body = readable(request)
    const expected = [...(served.accepts ?? []), ...(served.resource.lists ? [served.resource.lists.item] : served.accepts && request.method === 'POST' ? [] : [served.resource])]
    const { root, value } = codec.read(body, expected, request.peer.kind === 'operator' ? derivation.linksOf(served) : [])
    const written = request.method === 'PUT' ? await derivation.put(served, x, value) : await derivation.post(served, x, value, root)
    const location = ctx.config.prefix + written.href
    return { ...(request.method === 'PUT' && !written.created && !served.locationAlways ? { status: 204 } : { status: written.created ? 201 : 204, location }), route: templateOf(served) }
  }

  /** SEP-243. Interpretation: an operator sets a poll rate by PUT of the list, or of DeviceCapability, with another `pollRate`; nothing else of it counts. */
  async function retime(served: Served, request: DoorRequest): Promise<Answer> {
    const seconds = Number(/<[A-Za-z:]+\s[^>]*\bpollRate="(\d{1,7})"/.exec(readable(request).toString('latin1'))?.[1])
    if (!Number.isInteger(seconds) || seconds < 1 || seconds > 86_400) throw new HttpFault(400, reason.values)
    await setPollRate(ctx, served.pollRate as NonNullable<Served['pollRate']>, seconds)
    return { status: 204, route: templateOf(served) }
  }

  const patternOf = (target: string): string => {
    try {
      const inside = normal(target.split('?')[0] as string, ctx.config.prefix), routed = inside === undefined ? undefined : route(inside)
      return routed ? templateOf(routed.served) : 'unknown'
    } catch { return 'unknown' }
  }

  const failed = (error: unknown, request: DoorRequest): Answer => {
    const fault = faultOf(error), pattern = patternOf(request.target)
    if (fault.status >= 500) ctx.log.error({ caller: request.peer.lfdi || request.peer.user, method: request.method, href: pattern, status: fault.status, err: error }, 'csip request failed')
    else refused({ caller: request.peer.lfdi || request.peer.user, method: request.method, href: pattern, status: fault.status })
    return { ...faultAnswer(codec, fault), route: pattern }
  }

  return {
    devices, derivation, codec, registry, look,
    readsOf: (served) => reads.get(served) ?? [],
    forget: () => cache.clear(),
    handle(request) {
      try {
        if (request.method === 'GET' || request.method === 'HEAD') {
          if (ctx.config.formerPrefixes.length > 0) { const elsewhere = moved(request.target); if (elsewhere) return elsewhere }
          if (!acceptable(request.accept)) throw new HttpFault(406)
          const answer = get(request)
          return answer instanceof Promise ? answer.catch((error: unknown) => failed(error, request)) : answer
        }
        return write(request).catch((error: unknown) => failed(error, request))
      } catch (error) {
        return failed(error, request)
      }
    },
  }
}

export const faultAnswer = (codec: Codec, fault: Fault): Answer => ({
  status: fault.status,
  ...(fault.allow ? { allow: fault.allow } : {}),
  ...(fault.location ? { location: fault.location } : {}),
  ...(fault.retryAfter ? { retryAfter: fault.retryAfter } : {}),
  body: codec.write(ErrorResource, { reasonCode: fault.reasonCode, ...(fault.retryAfter ? { maxRetryDuration: fault.retryAfter } : {}) }),
})

/** SEP-020: anything that XML satisfies is answered in XML; an Accept that leaves none of ours is 406. */
function acceptable(accept: string | undefined): boolean {
  if (accept === undefined || accept === '' || accept === '*/*' || accept === 'application/sep+xml') return true
  return accept.split(',').some((range) => {
    const [type = '', ...parameters] = range.split(';').map((p) => p.trim().toLowerCase())
    if (parameters.some((p) => /^q=0(\.0*)?$/.test(p))) return false
    return ['application/sep+xml', 'application/xml', 'text/xml', 'application/*', '*/*'].includes(type)
  })
}

/** SEP-022: a body without one of our types is 415, an empty one is a format error. */
function readable(request: DoorRequest): Buffer {
  const body = request.body
  if (!body || body.length === 0) throw new HttpFault(400)
  const type = (request.contentType ?? '').split(';')[0]?.trim().toLowerCase()
  if (type !== 'application/sep+xml' && type !== 'application/xml') throw new HttpFault(415)
  return body
}

const plain = /^(\/[A-Za-z0-9_-][A-Za-z0-9_.-]*)+$/
/** SEP-034: percent-encoding and dot segments go before routing; a path outside the prefix is unknown. */
function normal(raw: string, prefix: string): string | undefined {
  let path = raw
  if (!plain.test(path)) {
    try { path = decodeURIComponent(path) } catch { throw new HttpFault(400) }
    if (path.includes('/.')) try { path = new URL(`http://x${path.startsWith('/') ? '' : '/'}${path}`).pathname } catch { throw new HttpFault(400) }
  }
  if (prefix === '') return path
  return path.startsWith(`${prefix}/`) ? path.slice(prefix.length) : undefined
}
