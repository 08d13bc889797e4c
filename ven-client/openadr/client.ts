import type { Clock } from '#core/port/clock.js'
import { systemClock } from '#core/port/clock.js'
import { silent, type Log } from '#ven-client/log.js'
import { isVtnError, VtnError } from '#ven-client/openadr/error.js'
import type { Event, Notifiers, Program, Report, ReportRequest, Resource, SubscriptionRequest, Stored, ValuesMap, Ven } from '#ven-client/openadr/objects.js'
import { isStored } from '#ven-client/openadr/reading.js'
import { requester, type Answer, type Ask, type RequestNeeds, type Transport } from '#ven-client/openadr/request.js'
import { dialectOf, revisionOf, type Dialect, type Revision } from '#ven-client/openadr/revision.js'
import { tokens, type Credentials } from '#ven-client/openadr/token.js'
import { randomFrom } from '#ven-client/random.js'

export interface ClientOptions extends Transport {
  /** Default: as the base path says (`/3.0.1`), else 3.1. */
  readonly revision?: Revision
  readonly credentials?: Credentials
  readonly clock?: Clock
  readonly log?: Log
  readonly random?: () => number
  readonly onServerTime?: RequestNeeds['onServerTime']
}

export type Query = NonNullable<Ask['query']>
type Options = { readonly signal?: AbortSignal; readonly attempts?: number }

export type Topics = { readonly topics: { readonly CREATE?: string; readonly UPDATE: string; readonly DELETE: string; readonly ALL?: string } }

/** A VTN as a VEN sees it: typed calls, tokens renewed, lists walked to their end, unchanged ones not sent again. */
export interface VtnClient {
  readonly url: string
  readonly dialect: Pick<Dialect, 'revision' | 'privacy'>
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
  updateSubscription(id: string, subscription: SubscriptionRequest, options?: Options): Promise<Stored>
  unsubscribe(id: string, options?: Options): Promise<void>
  subscriptions(query?: Query, options?: Options): Promise<readonly Subscription[]>
  notifiers(options?: Options): Promise<Notifiers>
  topics(path: string, options?: Options): Promise<Topics>
  /** The token that MQTT wants as its password (OA-135). */
  bearer(options?: Options): Promise<string | undefined>
  send(ask: Ask): Promise<Answer>
  close(): Promise<void>
}

/** OA-057: as many as a VTN gives at once. */
export const pageSize = 50

type Subscription = Stored & SubscriptionRequest
/** What of a page could be read, and how many it had. */
interface Page { readonly items: readonly unknown[]; readonly size: number }


export function vtnClient(options: ClientOptions): VtnClient {
  const clock = options.clock ?? systemClock, log = options.log ?? silent
  const clientID = options.credentials?.clientID ?? 'anonymous'
  const random = options.random ?? randomFrom(`${options.url}\n${clientID}`)
  const raw = requester(options, { clock, log, random, ...(options.onServerTime ? { onServerTime: options.onServerTime } : {}) })
  const dialect = dialectOf(options.revision ?? revisionOf(options.url))
  const token = tokens(raw, clock, options.credentials, dialect)
  let accepted: string | undefined
  /** Last answer of each address, for If-None-Match (OA-012). */
  const seen = new Map<string, { etag: string; page: Page }>()

  async function send(ask: Ask): Promise<Answer> {
    for (let again = false; ; again = true) {
      const bearer = await token.bearer(ask.signal)
      try {
        const answer = await raw(bearer === undefined ? ask : { ...ask, headers: { ...ask.headers, authorization: `Bearer ${bearer}` } })
        accepted = bearer
        return answer
      } catch (error) {
        // OA-201: a 401 earns one new token and one more try, no loop. On 3.0.1 a 403 does, if the token was good before (OA-027).
        const ended = isVtnError(error) && (error.kind === 'unauthenticated' || (error.kind === 'forbidden' && dialect.badTokenIsForbidden && accepted === bearer))
        if (!ended || bearer === undefined || again) throw error
        accepted = undefined
        token.refuse(bearer)
      }
    }
  }

  async function list<T>(path: string, asked: Query, signal?: AbortSignal, read: (item: T) => T = (item) => item): Promise<readonly T[]> {
    const query = dialect.query(asked)
    const all: T[] = []
    for (let skip = 0; ; skip += pageSize) {
      const cut = { ...query, skip, limit: pageSize }
      const key = path + JSON.stringify(cut)
      const known = seen.get(key)
      const answer = await send({ method: 'GET', path, query: cut, ...(signal ? { signal } : {}), ...(known ? { headers: { 'if-none-match': known.etag } } : {}) })
      const unchanged = answer.status === 304 ? known?.page : undefined
      if (!unchanged && !Array.isArray(answer.body)) throw new VtnError('protocol', `The VTN's answer to ${path} is no list.`, { status: answer.status })
      const sent = answer.body as readonly unknown[]
      const page: Page = unchanged ?? { items: sent.filter(isStored).map((item) => read(item as T)), size: sent.length }
      if (answer.etag !== undefined && answer.status !== 304) seen.set(key, { etag: answer.etag, page })
      all.push(...page.items as T[])
      if (page.size < pageSize) return all
    }
  }

  const call = async <T>(method: Ask['method'], path: string, json: unknown, { signal, attempts }: Options): Promise<T> =>
    (await send({ method, path, ...(json === undefined ? {} : { json }), ...(signal ? { signal } : {}), ...(attempts === undefined ? {} : { attempts }) })).body as T

  /** Creates, or adopts what a parallel start of the same client has made meanwhile (OA-202). */
  async function findOrCreate<T>(find: () => Promise<T | undefined>, create: () => Promise<T>, inTheWay = find): Promise<T> {
    const found = await find()
    if (found) return found
    try {
      return await create()
    } catch (error) {
      const other = isVtnError(error) && error.kind === 'conflict' ? await inTheWay() ?? await find() : undefined
      if (other) return other
      throw error
    }
  }

  const id = encodeURIComponent
  const event: VtnClient['event'] = async (eventID, o = {}) => dialect.readEvent(await call('GET', `/events/${id(eventID)}`, undefined, o))
  const vens: VtnClient['vens'] = (query = {}, o = {}) => list<Ven>('/vens', query, o.signal, dialect.readVen)
  const programOf = (o: Options) => async (eventID: string): Promise<string> => (await event(eventID, o)).programID

  /** 3.0.1 lists resources by ven (OA-232). */
  async function resources({ venID, ...query }: Query = {}, o: Options = {}): Promise<readonly Resource[]> {
    if (dialect.revision !== '3.0.1') return list<Resource>('/resources', venID === undefined ? query : { ...query, venID }, o.signal)
    const owners = venID === undefined ? (await vens({}, o)).map((v) => v.id) : [String(venID)]
    return (await Promise.all(owners.map((owner) => list<Resource>(dialect.resources(owner), query, o.signal, (r) => dialect.readResource({ ...r, venID: owner }))))).flat()
  }

  return {
    url: options.url, dialect, clientID, clock, log, random, send,
    programs: (query = {}, o = {}) => list<Program>('/programs', query, o.signal),
    events: (query = {}, o = {}) => list<Event>('/events', query, o.signal, dialect.readEvent),
    event,
    vens,
    resources,
    reports: (query = {}, o = {}) => list<Report>('/reports', query, o.signal),
    createReport: async (report, o = {}) => call('POST', '/reports', await dialect.report(report, programOf(o)), o),
    updateReport: async (report, body, o = {}) => call('PUT', `/reports/${id(report)}`, await dialect.report(body, programOf(o)), o),
    registerVen: (venName, attributes, o = {}) => findOrCreate(
      // one ven object per client (OA-082): ours is the one with our clientID, whatever its name
      async () => {
        // where everybody sees all vens, ours is the one of our name
        const all = await vens(dialect.privacy ? {} : { venName }, o)
        return all.find((v) => v.clientID === clientID) ?? all.find((v) => v.venName === venName)
      },
      async () => dialect.readVen(await call<Ven>('POST', '/vens', dialect.ven(venName, attributes), o)),
      // 3.0.1 does not say whose a ven is; one that is in the way of ours, and the only one shown, is ours under another name (OA-082)
      async () => { const [only, ...others] = await vens({}, o); return others.length ? undefined : only },
    ),
    registerResource: (ven, resourceName, attributes, o = {}) => findOrCreate(
      async () => (await resources({ venID: ven.id }, o)).find((r) => r.resourceName === resourceName),
      async () => dialect.readResource(await call<Resource>('POST', dialect.resources(ven.id), dialect.resource(ven.id, resourceName, attributes), o)),
    ),
    subscribe: async (subscription, o = {}) => call('POST', '/subscriptions', dialect.subscription(subscription), o),
    updateSubscription: async (subscription, body, o = {}) => call('PUT', `/subscriptions/${id(subscription)}`, dialect.subscription(body), o),
    unsubscribe: async (subscription, o = {}) => { await call('DELETE', `/subscriptions/${id(subscription)}`, undefined, o) },
    subscriptions: (query = {}, o = {}) => list<Subscription>('/subscriptions', query, o.signal),
    // OA-243: 3.0.1 knows webhooks only
    notifiers: async (o = {}) => (dialect.revision === '3.0.1' ? { WEBHOOK: true } : call('GET', '/notifiers', undefined, o)),
    topics: (path, o = {}) => call('GET', `/notifiers/mqtt/topics/${path}`, undefined, o),
    bearer: (o = {}) => token.bearer(o.signal),
    close: () => raw.close(),
  }
}
