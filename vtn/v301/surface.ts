import type { FastifyRequest } from 'fastify'
import { Refusal } from '#core/error.js'
import type { View } from '#vtn/access.js'
import type { Route } from '#vtn/door.js'
import { doorCheck } from '#vtn/door-check.js'
import type { VtnCaller } from '#vtn/identity.js'
import type { Also, Manner } from '#vtn/objects.js'
import { list, pathId, scalar, type RawQuery } from '#vtn/query.js'
import { nounOf, registry, type Noun } from '#vtn/registry.js'
import { kindOf, type Content, type Stored } from '#vtn/stored.js'
import { filled, mayDelete, once, reader, shown, viewFor, writeView, type Reading, type SurfaceNeeds } from '#vtn/surface.js'
import { to301, to31, withWritten } from '#vtn/v301/translate.js'
import type { ObjectType } from '#vtn/wire/field.js'
import { targetText } from '#vtn/wire/target301.js'
import { Event301, Program301, Report301, Resource301, Subscription301, Ven301 } from '#vtn/wire/v301.js'

export const described301 = { PROGRAM: Program301, EVENT: Event301, REPORT: Report301, SUBSCRIPTION: Subscription301, VEN: Ven301, RESOURCE: Resource301 } satisfies Record<ObjectType, unknown>

/** OA-231: type and values come together. */
function asked(query: RawQuery): readonly string[] | undefined {
  const type = scalar(query, 'targetType'), values = list(query, 'targetValues')
  if ((type === undefined) !== (values === undefined)) throw new Refusal('invalid', 'targetType and targetValues go together (OA-231)')
  return type === undefined ? undefined : values?.map((v) => targetText(type, v))
}

/** 3.0.1 on the same store (openadr3.md §14): another shape, the same objects, the same privacy (OA-248). */
export function objectRoutes301(needs: SurfaceNeeds): Route[] {
  const { context, objects } = needs
  const { config, documents } = context
  const manner: Manner = { surface: '3.0.1', unknown: config.refs?.unknownStatus === 409 ? 'conflict' : 'invalid' }

  /** OA-248: the letter of 3.0.1, for conformance runs only. */
  const open = (noun: Noun, view: View): View => (config.compat301?.openReads ? { objectType: noun.objectType, key: 'B' } : view)
  const resourcesOf = async (ven: Stored, view: View): Promise<unknown[]> => {
    const found = await documents.list<Content>(config.tenant, { kind: kindOf.RESOURCE, parent: ven.id })
    return found.map((r) => to301('RESOURCE', shown(context, nounOf('RESOURCE'), r, { ...view, objectType: 'RESOURCE' }), r))
  }
  const show = (noun: Noun) => (doc: Stored, view: View): unknown => {
    const out = to301(noun.objectType, shown(context, noun, doc, view), doc)
    return noun.objectType === 'VEN' ? resourcesOf(doc, view).then((resources) => ({ ...out, ...(resources.length ? { resources } : {}) })) : out
  }

  const routesOf = (noun: Noun): Route[] => {
    const check = doorCheck(described301[noun.objectType].schema, config.validation)
    const nested = noun.objectType === 'RESOURCE'
    const collection = nested ? '/vens/:venID/resources' : noun.collection
    const idName = `${noun.described.name}ID`
    const idOf = (request: FastifyRequest): string => pathId((request.params as Record<string, string>)[idName])
    const venOf = (request: FastifyRequest): string => pathId((request.params as Record<string, string>)['venID'])
    const reading: Reading = {
      version: '3.0.1', kinds: noun.objectType === 'VEN' || nested ? [kindOf.VEN, kindOf.RESOURCE] : [kindOf[noun.objectType]], show: show(noun),
      asked: (query) => (noun.objectType === 'REPORT' ? undefined : asked(query)),
      view: (view) => open(noun, view),
      ...(nested ? { within: (request: FastifyRequest) => ({ parent: venOf(request) }), before: (request: FastifyRequest) => venSeen(request) } : {}),
    }

    /** OA-232: a nested list under a ven that is not there, or not the caller's, is 404. */
    async function venSeen(request: FastifyRequest): Promise<void> {
      const ven = nounOf('VEN')
      await objects.get(ven, open(ven, await viewFor(context, ven, request.caller)), venOf(request))
    }
    const after = async (request: FastifyRequest, doc: Stored): Promise<unknown> => show(noun)(doc, await viewFor(context, noun, request.caller))
    const content = (request: FastifyRequest, old?: Stored): Content => {
      const body = check(filled(request.body), request.bodySize, request.exact) as Record<string, unknown>
      return withWritten({ ...to31(noun.objectType, body), ...owned(noun, body, request.caller, nested ? venOf(request) : undefined, old) }, request.caller.role === 'BL' || noun.objectType === 'SUBSCRIPTION' ? body : {})
    }
    const write = async (request: FastifyRequest): Promise<{ view: View; old: Stored }> => {
      const view = await writeView(context, noun, request.caller)
      const old = await objects.get(noun, view, idOf(request))
      if (nested && old.parent !== venOf(request)) throw new Refusal('notFound', `no resource ${old.id}`)
      return { view, old }
    }
    return [
      {
        path: collection,
        methods: {
          GET: { scope: noun.read, handler: reader(needs, noun, reading) },
          POST: {
            scope: noun.write,
            handler: async (request, reply) => {
              if (nested) await venSeen(request)
              const doc = await once(context, request, async (body, also) => {
                await programOfReport(body)
                return noun.objectType === 'VEN' ? venWithResources(request.caller, body, also) : objects.create(noun, request.caller, body, manner, also)
              }, (r) => content(r))
              return reply.code(201).header('location', `${request.url.split('?')[0]}/${doc.id}`).send(await after(request, doc))
            },
          },
        },
      },
      {
        path: `${collection}/:${idName}`,
        methods: {
          GET: { scope: noun.read, handler: reader(needs, noun, reading, idName) },
          PUT: {
            scope: noun.write,
            handler: async (request) => {
              const { view, old } = await write(request)
              const body = content(request, old)
              await programOfReport(body)
              return after(request, await objects.replace(noun, request.caller, view, old.id, body, manner))
            },
          },
          DELETE: {
            scope: 'any',
            handler: async (request) => {
              // OA-035: off on this surface, as its official suite expects.
              mayDelete(context, noun, request.caller, false)
              const { view, old } = await write(request)
              const gone = await after(request, old)
              await objects.remove(noun, request.caller, view, old.id)
              return gone
            },
          },
        },
      },
    ]

    /** OA-232: a new ven brings its resources; all are made in one transaction. */
    function venWithResources(caller: VtnCaller, { resources, ...ven }: Content, also: Also | undefined): Promise<Stored> {
      return objects.create(noun, caller, ven, manner, async (stores, made) => {
        for (const one of (resources ?? []) as Content[]) await objects.createWithin(stores, nounOf('RESOURCE'), caller, resourceOf(one, caller, made.id), manner)
        await also?.(stores, made)
      })
    }

    /** OA-238: the programID of a report must be that of its event. */
    async function programOfReport(body: Content): Promise<void> {
      if (noun.objectType !== 'REPORT') return
      const event = await documents.get<Content>(config.tenant, kindOf.EVENT, String(body['eventID']))
      if (event && event.parent !== body['programID']) throw new Refusal(manner.unknown, `event ${event.id} is not of program ${String(body['programID'])}`)
    }
  }
  return registry.flatMap(routesOf)
}

/** OA-233: bodies have one form here; which 3.1 form they stand for depends on who sends them. */
function owned(noun: Noun, body: Record<string, unknown>, caller: VtnCaller, venID: string | undefined, old: Stored | undefined): Content {
  const bl = caller.role === 'BL'
  if (noun.objectType === 'VEN') {
    // Interpretation: a ven that business logic makes without saying whose it is belongs to the client of the same name.
    // Interpretation of OA-232: resources that come with a new ven are made with it; afterwards each is changed at its own address, so that a PUT of what was read changes nothing.
    const resources = old ? undefined : body['resources']
    return bl ? { objectType: 'BL_VEN_REQUEST', clientID: old?.owner ?? body['clientID'] ?? body['venName'], resources } : { objectType: 'VEN_VEN_REQUEST', resources, targets: undefined, clientID: undefined }
  }
  return noun.objectType === 'RESOURCE' ? ownedResource(bl, venID) : {}
}

const ownedResource = (bl: boolean, venID: string | undefined): Content => (bl ? { objectType: 'BL_RESOURCE_REQUEST', venID } : { objectType: 'VEN_RESOURCE_REQUEST', venID, targets: undefined })

/** A resource in the body of its ven. */
const resourceOf = (body: Content, caller: VtnCaller, venID: string): Content =>
  withWritten({ ...to31('RESOURCE', body), ...ownedResource(caller.role === 'BL', venID) }, caller.role === 'BL' ? body : {})
