import type { FastifyRequest } from 'fastify'
import { Refusal } from '#core/error.js'
import { viewFor } from '#vtn/surface.js'
import type { Context } from '#vtn/context.js'
import type { Route } from '#vtn/door.js'
import { demand } from '#vtn/identity.js'
import type { Objects } from '#vtn/objects.js'
import { pathId } from '#vtn/query.js'
import { nounOf } from '#vtn/registry.js'
import type { Scope } from '#vtn/scope.js'
import { topicSets, topicsOf } from '#vtn/mqtt/topic.js'
import type { ObjectType } from '#vtn/wire/field.js'

interface Row {
  readonly path: string
  readonly set: (id: string) => string
  readonly who: 'programs' | 'businessLogic' | 'ven'
  /** The object that the path names, which must exist for this caller. */
  readonly of?: readonly [ObjectType, string]
  readonly single?: boolean
}

export const topicRoot = '/notifiers/mqtt/topics'

/** The twelve topic endpoints (OpenADR 3.1.1 YAML, MQTT notifier; OA-136). */
export const topicTable: readonly Row[] = [
  { path: '/programs', set: topicSets.programs, who: 'programs' },
  { path: '/programs/:programID', set: topicSets.program, who: 'programs', of: ['PROGRAM', 'programID'], single: true },
  { path: '/programs/:programID/events', set: topicSets.programEvents, who: 'programs', of: ['PROGRAM', 'programID'] },
  { path: '/events', set: topicSets.events, who: 'businessLogic' },
  { path: '/reports', set: topicSets.reports, who: 'businessLogic' },
  { path: '/subscriptions', set: topicSets.subscriptions, who: 'businessLogic' },
  { path: '/vens', set: topicSets.vens, who: 'businessLogic' },
  { path: '/resources', set: topicSets.resources, who: 'businessLogic' },
  { path: '/vens/:venID', set: topicSets.ven, who: 'ven', of: ['VEN', 'venID'], single: true },
  { path: '/vens/:venID/events', set: topicSets.venEvents, who: 'ven', of: ['VEN', 'venID'] },
  { path: '/vens/:venID/programs', set: topicSets.venPrograms, who: 'ven', of: ['VEN', 'venID'] },
  { path: '/vens/:venID/resources', set: topicSets.venResources, who: 'ven', of: ['VEN', 'venID'] },
]

/** OA-034: with public topics, those of programs are open to VENs as well. */
export const topicScopes: Readonly<Record<Row['who'], Scope>> = { programs: 'read_all', businessLogic: 'read_bl', ven: 'read_ven_objects' }

export function notifierRoutes(context: Context, objects: Objects): Route[] {
  const { mqtt } = context.config
  const prefix = mqtt?.prefix ?? ''

  async function topics(row: Row, request: FastifyRequest): Promise<object> {
    if (!mqtt) throw new Refusal('notFound', 'this VTN has no MQTT notifier (OA-136)')
    const { caller } = request
    demand(caller, mqtt.publicTopics && row.who === 'programs' ? 'read_targets' : topicScopes[row.who])
    const [objectType, name] = row.of ?? []
    if (objectType === undefined || name === undefined) return topicsOf(prefix, row.set(''), false)
    const noun = nounOf(objectType), id = pathId((request.params as Record<string, string>)[name])
    await objects.get(noun, await viewFor(context, noun, caller), id)
    return topicsOf(prefix, row.set(id), row.single ?? false)
  }

  /** IPv6 addresses keep their brackets. */
  const hostOf = (request: FastifyRequest): string => {
    const origin = context.config.publicUrl ?? `https://${request.host}`
    return URL.canParse(origin) ? new URL(origin).hostname : 'localhost'
  }

  return [
    {
      path: '/notifiers',
      methods: {
        // OA-034: open to every authenticated client, since a VEN needs it.
        GET: {
          scope: 'any',
          handler: async (request) => ({
            WEBHOOK: true,
            ...(mqtt ? {
              MQTT: {
                URIS: mqtt.uris.map((uri) => uri.replace('{host}', hostOf(request))), serialization: 'JSON',
                authentication: mqtt.authentication === 'ANONYMOUS' ? { method: 'ANONYMOUS' } : { method: 'OAUTH2_BEARER_TOKEN', username: '{clientID}' },
              },
            } : {}),
          }),
        },
      },
    },
    ...topicTable.map((row): Route => ({ path: topicRoot + row.path, methods: { GET: { scope: 'any', handler: (request) => topics(row, request) } } })),
  ]
}
