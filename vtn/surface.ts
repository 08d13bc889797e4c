import type { FastifyReply, FastifyRequest } from 'fastify'
import type { DocumentQuery } from '#core/port/store/document.js'
import { Refusal } from '#core/error.js'
import { viewOf, type View } from '#vtn/access.js'
import { always, send, type Answers } from '#vtn/answers.js'
import type { Context } from '#vtn/context.js'
import type { Route } from '#vtn/door.js'
import { doorCheck } from '#vtn/door-check.js'
import { demand, type VtnCaller } from '#vtn/identity.js'
import { printed } from '#vtn/wire/literal.js'
import type { Also, Manner, Objects } from '#vtn/objects.js'
import { list, pageCut, pathId, rawQuery } from '#vtn/query.js'
import type { ReadLog } from '#vtn/read-log.js'
import { registry, type Noun } from '#vtn/registry.js'
import { kindOf, present, type Content, type Stored } from '#vtn/stored.js'

export interface SurfaceNeeds {
  readonly context: Context
  readonly objects: Objects
  readonly answers: Answers
  readonly readLog: ReadLog
}

/** What one reader gets of one object; `grants` decides the targets it may know (OA-106). */
export function shown(context: Context, noun: Noun, doc: Stored, view: View): Record<string, unknown> {
  const out = present(noun.objectType, doc, view.grants)
  return noun.objectType === 'SUBSCRIPTION' ? unsealed(context, out, view.key === `O${doc.owner}` || view.key === `B${doc.owner}`) : out
}

/** OA-132: secrets go back to the owner only. */
function unsealed(context: Context, out: Record<string, unknown>, owner: boolean): Record<string, unknown> {
  const { hmacSecret, ...rest } = out
  const operations = (out['objectOperations'] as Record<string, unknown>[]).map(({ bearerToken, ...operation }) =>
    (bearerToken !== undefined && owner ? { ...operation, bearerToken: bearerToken === null ? null : context.secrets.open(String(bearerToken)) } : operation))
  return { ...rest, objectOperations: operations, ...(hmacSecret !== undefined && owner ? { hmacSecret: context.secrets.open(String(hmacSecret)) } : {}) }
}

/** The view of a caller on a noun; synchronous when the grants are known. */
export function viewFor(context: Context, noun: Noun, caller: VtnCaller): View | Promise<View> {
  const everything = caller.scopes.has('read_all') || (noun.objectType !== 'PROGRAM' && noun.objectType !== 'EVENT')
  const grants = everything ? [] : context.access.grants(caller.subject)
  return grants instanceof Promise ? grants.then((g) => viewOf(noun.objectType, caller, g)) : viewOf(noun.objectType, caller, grants)
}

/** How one surface reads its collections: what it shows, and what in the address narrows a list. */
export interface Reading {
  readonly version: '3.1.1' | '3.0.1'
  /** Kinds whose change makes an answer stale. */
  readonly kinds: readonly string[]
  /** May be a promise where `kinds` has more than one. */
  readonly show: (doc: Stored, view: View) => unknown
  /** Another view of the same caller, where the surface reads differently. */
  readonly view?: (view: View) => View
  /** Refuses before anything is looked up. */
  readonly before?: (request: FastifyRequest) => Promise<void>
  /** Targets that the query asks for. */
  readonly asked: (query: ReturnType<typeof rawQuery>) => readonly string[] | undefined
  readonly within?: (request: FastifyRequest) => Partial<DocumentQuery>
}

/** GET of a collection or of one object, from memory where nothing changed (stack.md, cache rule). */
export function reader(needs: SurfaceNeeds, noun: Noun, reading: Reading, idName?: string) {
  const { context, objects, answers, readLog } = needs
  const { documents, clock, config } = context
  const stamp = (): number => {
    let sum = 0
    for (const kind of reading.kinds) sum += documents.revision(config.tenant, kind)
    return sum
  }
  const timely = (request: FastifyRequest): boolean => noun.objectType === 'EVENT' && request.url.includes('active')
  /** How long a list of active events stays as it is: until the first of them ends, or the second is over where unseen ones before the page may end. */
  const lasting = (request: FastifyRequest, docs: readonly Stored[], skip: number, now: number) =>
    (timely(request) ? { from: now, until: skip > 0 ? now + 1 : Math.min(Infinity, ...docs.map((d) => d.sort1)) } : always)
  const text = (doc: Stored, view: View): string | Promise<string> =>
    (reading.kinds.length > 1 ? Promise.resolve(reading.show(doc, view)).then(printed)
      : answers.text(`${reading.version}|${doc.kind}|${doc.id}|${doc.version}|${doc.modifiedAt}|${view.grants ? doc.targets.filter((t) => view.grants?.includes(t)).join('\u0001') : view.key}`, () => reading.show(doc, view)))

  async function make(request: FastifyRequest, view: View, key: string, at: number) {
    await reading.before?.(request)
    if (idName !== undefined) {
      const within = reading.within?.(request)
      const doc = await objects.get(noun, view, pathId((request.params as Record<string, string>)[idName]))
      if (within?.parent !== undefined && doc.parent !== within.parent) throw new Refusal('notFound', `no ${noun.described.name} ${doc.id}`)
      return answers.keep(key, at, await text(doc, view), [doc.id])
    }
    const query = rawQuery(request.url), cut = pageCut(query), now = clock.now()
    const docs = await objects.list(noun, view, { query, cut, asked: reading.asked(query), surface: reading.version, within: reading.within?.(request) })
    const texts = reading.kinds.length > 1 ? await Promise.all(docs.map((d) => text(d, view))) : docs.map((d) => text(d, view))
    return answers.keep(key, at, `[${texts.join(',')}]`, docs.map((d) => d.id), lasting(request, docs, cut.skip, now))
  }

  function withView(request: FastifyRequest, reply: FastifyReply, own: View): FastifyReply | Promise<FastifyReply> {
    const view = reading.view?.(own) ?? own
    const key = `${reading.version}|${view.key}|${request.url}`
    const at = stamp()
    const hit = answers.find(key, at, timely(request) ? clock.now() : 0)
    if (hit) return finish(request, reply, hit)
    return answers.shared(key, at, () => make(request, view, key, at)).then((made) => finish(request, reply, made))
  }

  function finish(request: FastifyRequest, reply: FastifyReply, answer: ReturnType<Answers['keep']>): FastifyReply {
    if (noun.objectType === 'EVENT' && request.caller.role === 'VEN') readLog.saw(request.caller.subject, answer.shows)
    if (config.webhooks?.notifyReads) void needs.readLog.told(noun, answer.shows)
    return send(request, reply, answer)
  }

  return (request: FastifyRequest, reply: FastifyReply): FastifyReply | Promise<FastifyReply> => {
    const view = viewFor(context, noun, request.caller)
    return view instanceof Promise ? view.then((v) => withView(request, reply, v)) : withView(request, reply, view)
  }
}

/** The object routes of 3.1.1, derived from the registry (openadr3.md §3). */
export function objectRoutes(needs: SurfaceNeeds): Route[] {
  const { context, objects } = needs
  const manner: Manner = { surface: '3.1.1', unknown: context.config.refs?.unknownStatus === 400 ? 'invalid' : 'conflict' }
  return registry.flatMap((noun): Route[] => {
    const check = doorCheck(noun.request, context.config.validation)
    const reading: Reading = {
      version: '3.1.1', kinds: [kindOf[noun.objectType]], show: (doc, view) => shown(context, noun, doc, view),
      asked: (query) => (noun.parameters.includes('targets') ? list(query, 'targets') : undefined),
    }
    const idName = `${noun.described.name}ID`
    const idOf = (request: FastifyRequest): string => pathId((request.params as Record<string, string>)[idName])
    const content = (request: FastifyRequest): Content => check(lenient(context, noun, filled(request.body)), request.bodySize, request.exact) as Content
    const after = async (request: FastifyRequest, doc: Stored): Promise<Record<string, unknown>> => shown(context, noun, doc, await viewFor(context, noun, request.caller))
    return [
      {
        path: noun.collection,
        methods: {
          GET: { scope: noun.read, handler: reader(needs, noun, reading) },
          POST: {
            scope: noun.write,
            handler: async (request, reply) => {
              const doc = await once(context, request, (body, also) => objects.create(noun, request.caller, body, manner, also), content)
              return reply.code(201).header('location', `${request.url.split('?')[0]}/${doc.id}`).send(await after(request, doc))
            },
          },
        },
      },
      {
        path: `${noun.collection}/:${idName}`,
        methods: {
          GET: { scope: noun.read, handler: reader(needs, noun, reading, idName) },
          PUT: {
            scope: noun.write,
            handler: async (request) => {
              const view = await writeView(context, noun, request.caller)
              return after(request, await objects.replace(noun, request.caller, view, idOf(request), content(request), manner))
            },
          },
          DELETE: {
            scope: 'any',
            handler: async (request) => {
              mayDelete(context, noun, request.caller)
              const view = await writeView(context, noun, request.caller)
              return after(request, await objects.remove(noun, request.caller, view, idOf(request)))
            },
          },
        },
      },
    ]
  })
}

/** OA-055: an empty body is refused before anything is looked at. */
export function filled(body: unknown): unknown {
  if (body === undefined || body === null || body === '') throw new Refusal('invalid', 'the body is empty', { faults: [{ path: '/', reason: 'is required' }] })
  return body
}

/** Subscriptions are written by their owner only, also among business logic clients (openadr3.md §2, "own subscriptions"). */
export async function writeView(context: Context, noun: Noun, caller: VtnCaller): Promise<View> {
  if (noun.objectType === 'SUBSCRIPTION') return { objectType: 'SUBSCRIPTION', key: `O${caller.subject}`, owner: caller.subject }
  return viewFor(context, noun, caller)
}

/** OA-035: reports of a revoked VEN can be removed by business logic where the deployment allows it. */
export function mayDelete(context: Context, noun: Noun, caller: VtnCaller, allowed = context.config.reports?.blDelete ?? true): void {
  if (caller.scopes.has(noun.write)) return
  const blMay = noun.objectType === 'REPORT' && caller.role === 'BL' && caller.scopes.has('read_all') && allowed
  if (!blMay) demand(caller, noun.write)
}

/** OA-085: fills the discriminator of payload descriptors from where they stand, when the deployment is lenient. */
function lenient(context: Context, noun: Noun, body: unknown): unknown {
  if (!context.config.validation?.lenientDescriptors || typeof body !== 'object' || body === null) return body
  const descriptors = (body as { payloadDescriptors?: unknown }).payloadDescriptors
  if (!Array.isArray(descriptors)) return body
  const objectType = noun.objectType === 'REPORT' ? 'REPORT_PAYLOAD_DESCRIPTOR' : 'EVENT_PAYLOAD_DESCRIPTOR'
  return { ...body, payloadDescriptors: descriptors.map((d: object) => ({ objectType, ...d })) }
}

const day = 86_400_000
/** Keys at work in this process, so that two requests that come together have one effect (REL-050). */
const atWork = new WeakMap<Context, Map<string, Promise<unknown>>>()

async function inTurn<T>(context: Context, key: string, work: () => Promise<T>): Promise<T> {
  const running = atWork.get(context) ?? new Map<string, Promise<unknown>>()
  atWork.set(context, running)
  while (running.has(key)) await running.get(key)?.catch(() => {})
  const started = work()
  running.set(key, started)
  try { return await started } finally { running.delete(key) }
}

/** OA-065: an optional Idempotency-Key, 24 h per client; the same key with another body is a conflict. */
export async function once(context: Context, request: FastifyRequest, work: (body: Content, also?: Also) => Promise<Stored>, read: (request: FastifyRequest) => Content): Promise<Stored> {
  const given = request.headers['idempotency-key']
  const body = read(request)
  if (typeof given !== 'string' || given.length === 0) return work(body)
  const { config, clock, secrets } = context
  const today = Math.floor(clock.nowMs() / day), hash = secrets.hash(`${request.url}\n${JSON.stringify(body)}`)
  const key = (of: number): string => `vtn:${secrets.hash(`${request.caller.subject}\n${given}`)}:${of}`
  const earlier = (): Promise<Stored | undefined> => context.unitOfWork.run(async (stores) => {
    for (const of of [today, today - 1]) {
      const first = await stores.idempotency.get(config.tenant, key(of))
      const answer = first?.body as { at: number; doc: Stored } | undefined
      if (!first || !answer || answer.at <= clock.nowMs() - day) continue
      if (first.bodyHash !== hash) throw new Refusal('conflict', 'this Idempotency-Key was used with another body (OA-065)')
      return answer.doc
    }
    return undefined
  })
  return inTurn(context, key(0), async () => {
    const first = await earlier()
    if (first) return first
    // In the transaction that makes the object: a crash leaves both or neither.
    return work(body, (stores, doc) => stores.idempotency.put(config.tenant, key(today), hash, 201, { at: clock.nowMs(), doc }, clock.nowMs()))
  })
}
