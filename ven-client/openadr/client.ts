import type { Clock } from '#core/port/clock.js'
import { systemClock } from '#core/port/clock.js'
import { silent, type Log } from '#ven-client/log.js'
import { isVtnError, VtnError } from '#ven-client/openadr/error.js'
import type { Event, Notifiers, Program, Report, ReportRequest, Resource, SubscriptionRequest, Stored, ValuesMap, Ven } from '#ven-client/openadr/objects.js'
import { requester, type Answer, type Ask, type RequestNeeds, type Transport } from '#ven-client/openadr/request.js'
import { tokens, type Credentials } from '#ven-client/openadr/token.js'
import { randomFrom } from '#ven-client/random.js'

export interface ClientOptions extends Transport {
  readonly credentials?: Credentials
  readonly clock?: Clock
  readonly log?: Log
  readonly random?: () => number
  readonly onServerTime?: RequestNeeds['onServerTime']
}

export type Query = NonNullable<Ask['query']>
type Options = { readonly signal?: AbortSignal }

export type Topics = { readonly topics: { readonly CREATE?: string; readonly UPDATE: string; readonly DELETE: string; readonly ALL?: string } }

/** A VTN as a VEN sees it: typed calls, tokens renewed, lists walked to their end, unchanged ones not sent again. */
export interface VtnClient {
  readonly url: string
  readonly clientID: string
  readonly clock: Clock
  readonly log: Log
  readonly random: () => number
  programs(query?: Query, options?: Options): Promise<readonly Program[]>
  events(query?: Query, options?: Options): Promise<readonly Event[]>
  event(id: string, options?: Options): Promise<Event>
  vens(query?: Query, options?: Options): Promise<readonly Ven[]>
  resources(query?: Query, options?: Options): Promise<readonly Resource[]>
  reports(query?: Query, options?: Options): Promise<readonly Report[]>
  createReport(report: ReportRequest, options?: Options): Promise<Report>
  updateReport(id: string, report: ReportRequest, options?: Options): Promise<Report>
  /** OA-202: this client's own ven object, made when there is none, adopted when somebody was faster. */
  registerVen(venName: string, attributes?: readonly ValuesMap[], options?: Options): Promise<Ven>
  registerResource(ven: Ven, resourceName: string, attributes?: readonly ValuesMap[], options?: Options): Promise<Resource>
  subscribe(subscription: SubscriptionRequest, options?: Options): Promise<Stored>
  unsubscribe(id: string, options?: Options): Promise<void>
  notifiers(options?: Options): Promise<Notifiers>
  topics(path: string, options?: Options): Promise<Topics>
  /** The token that MQTT wants as its password (OA-135). */
  bearer(options?: Options): Promise<string | undefined>
  send(ask: Ask): Promise<Answer>
  close(): Promise<void>
}

const pageSize = 50

export function vtnClient(options: ClientOptions): VtnClient {
  const clock = options.clock ?? systemClock, log = options.log ?? silent
  const clientID = options.credentials?.clientID ?? 'anonymous'
  const random = options.random ?? randomFrom(`${options.url}\n${clientID}`)
  const raw = requester(options, { clock, log, random, ...(options.onServerTime ? { onServerTime: options.onServerTime } : {}) })
  const token = tokens(raw, clock, options.credentials)
  /** Last answer of each address, for If-None-Match (OA-012). */
  const seen = new Map<string, { etag: string; items: readonly unknown[] }>()

  async function send(ask: Ask): Promise<Answer> {
    for (let again = false; ; again = true) {
      const bearer = await token.bearer(ask.signal)
      try {
        return await raw(bearer === undefined ? ask : { ...ask, headers: { ...ask.headers, authorization: `Bearer ${bearer}` } })
      } catch (error) {
        // OA-201: a 401 earns one new token and one more try, no loop
        if (!isVtnError(error) || error.kind !== 'unauthenticated' || bearer === undefined || again) throw error
        token.refuse(bearer)
      }
    }
  }

  async function list<T>(path: string, query: Query, signal?: AbortSignal): Promise<readonly T[]> {
    const all: T[] = []
    for (let skip = 0; ; skip += pageSize) {
      const page = { ...query, skip, limit: pageSize }
      const key = path + JSON.stringify(page)
      const known = seen.get(key)
      const answer = await send({ method: 'GET', path, query: page, ...(signal ? { signal } : {}), ...(known ? { headers: { 'if-none-match': known.etag } } : {}) })
      const items = answer.status === 304 && known ? known.items : answer.body
      if (!Array.isArray(items)) throw new VtnError('protocol', `The VTN's answer to ${path} is no list.`, { status: answer.status })
      if (answer.etag !== undefined && answer.status !== 304) seen.set(key, { etag: answer.etag, items })
      all.push(...items as T[])
      if (items.length < pageSize) return all
    }
  }

  const call = async <T>(method: Ask['method'], path: string, json: unknown, signal?: AbortSignal): Promise<T> =>
    (await send({ method, path, ...(json === undefined ? {} : { json }), ...(signal ? { signal } : {}) })).body as T

  /** Creates, or adopts what a parallel start of the same client has made meanwhile (OA-202). */
  async function findOrCreate<T>(find: () => Promise<T | undefined>, create: () => Promise<T>): Promise<T> {
    const found = await find()
    if (found) return found
    try {
      return await create()
    } catch (error) {
      const other = isVtnError(error) && error.kind === 'conflict' ? await find() : undefined
      if (other) return other
      throw error
    }
  }

  const id = encodeURIComponent
  return {
    url: options.url, clientID, clock, log, random, send,
    programs: (query = {}, o = {}) => list<Program>('/programs', query, o.signal),
    events: (query = {}, o = {}) => list<Event>('/events', query, o.signal),
    event: (event, o = {}) => call('GET', `/events/${id(event)}`, undefined, o.signal),
    vens: (query = {}, o = {}) => list<Ven>('/vens', query, o.signal),
    resources: (query = {}, o = {}) => list<Resource>('/resources', query, o.signal),
    reports: (query = {}, o = {}) => list<Report>('/reports', query, o.signal),
    createReport: (report, o = {}) => call('POST', '/reports', report, o.signal),
    updateReport: (report, body, o = {}) => call('PUT', `/reports/${id(report)}`, body, o.signal),
    registerVen: (venName, attributes, o = {}) => findOrCreate(
      // one ven object per client (OA-082): ours is the one with our clientID, whatever its name
      async () => {
        const all = await list<Ven>('/vens', {}, o.signal)
        return all.find((v) => v.clientID === clientID) ?? all.find((v) => v.venName === venName)
      },
      () => call<Ven>('POST', '/vens', { objectType: 'VEN_VEN_REQUEST', venName, ...(attributes ? { attributes } : {}) }, o.signal),
    ),
    registerResource: (ven, resourceName, attributes, o = {}) => findOrCreate(
      async () => (await list<Resource>('/resources', { venID: ven.id }, o.signal)).find((r) => r.resourceName === resourceName),
      () => call<Resource>('POST', '/resources', { objectType: 'VEN_RESOURCE_REQUEST', resourceName, venID: ven.id, ...(attributes ? { attributes } : {}) }, o.signal),
    ),
    subscribe: (subscription, o = {}) => call('POST', '/subscriptions', subscription, o.signal),
    unsubscribe: async (subscription, o = {}) => { await call('DELETE', `/subscriptions/${id(subscription)}`, undefined, o.signal) },
    notifiers: (o = {}) => call('GET', '/notifiers', undefined, o.signal),
    topics: (path, o = {}) => call('GET', `/notifiers/mqtt/topics/${path}`, undefined, o.signal),
    bearer: (o = {}) => token.bearer(o.signal),
    close: () => raw.close(),
  }
}
