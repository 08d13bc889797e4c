import { Type, type TSchema } from 'typebox'
import { openapi, type Operation } from '#core/describe/openapi.js'
import { resource, type Resource } from '#core/describe/resource.js'
import { topicRoot, topicScopes, topicTable } from '#vtn/mqtt/notifier-door.js'
import { registry, type Noun } from '#vtn/registry.js'
import { described301 } from '#vtn/v301/surface.js'
import { objectTypes } from '#vtn/wire/field.js'
import { NotifiersResponse, NotifierTopicsResponse } from '#vtn/wire/notifier.js'
import { Notification } from '#vtn/wire/notification.js'
import { Problem } from '#vtn/wire/problem.js'
import { AuthError, AuthServerInfo, ClientCredentialRequest, ClientCredentialResponse } from '#vtn/wire/token.js'

const problems = (...codes: number[]): Record<number, TSchema> => Object.fromEntries(codes.map((c) => [c, Problem]))
const names = Type.Array(Type.String({ minLength: 1, maxLength: 128 }))
const page = { skip: Type.Integer({ minimum: 0 }), limit: Type.Integer({ minimum: 0, maximum: 50 }) }
const queries: Readonly<Record<string, TSchema>> = { targets: names, targetValues: names, active: Type.Boolean(), objects: Type.Array(Type.Enum([...objectTypes])) }
const query = (parameters: readonly string[]): Record<string, TSchema> =>
  ({ ...Object.fromEntries(parameters.map((p) => [p, queries[p] ?? Type.String({ minLength: 1, maxLength: 128 })])), ...page })

/** The five operations of one noun; `refused` is what this revision may answer to a bad token, `parent` that a collection hangs on another object. */
function operationsOf(noun: Noun, base: string, form: { collection: string; request: TSchema; answer: TSchema; parameters: readonly string[]; read: string; refused: readonly number[]; parent: boolean }): Operation[] {
  const { name } = noun.described, all = base + form.collection, one = `${all}/:${name}ID`
  const { request, answer, refused, read } = form, { write } = noun
  const absent = form.parent ? [404] : []
  return [
    { method: 'GET', url: all, operationId: `list_${name}`, summary: `list ${name}`, scope: read, query: query(form.parameters), answers: { 200: Type.Array(answer), ...problems(400, ...refused, ...absent, 500) } },
    { method: 'POST', url: all, operationId: `create_${name}`, summary: `create ${name}`, scope: write, body: request, answers: { 201: answer, ...problems(400, ...refused, ...absent, 409, 500) } },
    { method: 'GET', url: one, operationId: `get_${name}`, summary: `read ${name}`, scope: read, answers: { 200: answer, ...problems(400, ...refused, 404, 500) } },
    { method: 'PUT', url: one, operationId: `update_${name}`, summary: `replace ${name}`, scope: write, body: request, answers: { 200: answer, ...problems(400, ...refused, 404, 409, 500) } },
    { method: 'DELETE', url: one, operationId: `delete_${name}`, summary: `delete ${name}`, scope: write, answers: { 200: answer, ...problems(400, ...refused, 404, 500) } },
  ]
}

const parts: readonly Resource[] = [resource('problem', 'OA-050', Problem), resource('notification', 'OA-122', Notification)]

/** OA-010: what this deployment offers, from the same descriptions that the doors check with. */
export function document31(base: string, offers: { mqtt: boolean } = { mqtt: true }): object {
  const topics: Operation[] = offers.mqtt ? topicTable.map(({ path, who }) => ({
    method: 'GET', url: base + topicRoot + path, operationId: `topics${path.replace(/[/:]+/g, '_')}`, summary: 'names of MQTT topics', scope: topicScopes[who],
    answers: { 200: NotifierTopicsResponse, ...problems(400, 401, 403, 404, 500) },
  })) : []
  return openapi({ title: 'Loadstone VTN, OpenADR 3.1.1', version: '3.1.1' }, [...registry.map((n) => n.described), ...parts], [
    ...registry.flatMap((noun) => operationsOf(noun, base, {
      collection: noun.collection, request: noun.request, answer: noun.described.schema, parameters: noun.parameters, read: noun.read, refused: [401, 403], parent: noun.objectType === 'RESOURCE',
    })),
    { method: 'GET', url: `${base}/auth/server`, operationId: 'getAuthServerInfo', summary: 'where tokens are issued', answers: { 200: AuthServerInfo, ...problems(500) } },
    { method: 'POST', url: `${base}/auth/token`, operationId: 'fetchToken', summary: 'client credentials grant', body: ClientCredentialRequest, bodyType: 'application/x-www-form-urlencoded', answers: { 200: ClientCredentialResponse, ...problems(400, 401, 500, 501) } },
    { method: 'GET', url: `${base}/notifiers`, operationId: 'listAllNotifiers', summary: 'ways of being told', answers: { 200: NotifiersResponse, ...problems(401, 403, 500) } },
    ...topics,
  ], `${base}/auth/token`)
}

/** The same for 3.0.1, whose reads need read_all and whose bad tokens are 403 (OA-027, OA-240). */
export function document301(base: string): object {
  return openapi({ title: 'Loadstone VTN, OpenADR 3.0.1', version: '3.0.1' }, [...registry.map((n) => described301[n.objectType]), parts[0] as Resource], [
    ...registry.flatMap((noun) => operationsOf(noun, base, {
      collection: noun.objectType === 'RESOURCE' ? '/vens/:venID/resources' : noun.collection, request: described301[noun.objectType].schema, answer: described301[noun.objectType].schema,
      parameters: noun.parameters301, read: 'read_all', refused: [403], parent: noun.objectType === 'RESOURCE',
    })),
    { method: 'POST', url: `${base}/auth/token`, operationId: 'fetchToken', summary: 'client credentials grant', body: ClientCredentialRequest, bodyType: 'application/x-www-form-urlencoded', answers: { 200: ClientCredentialResponse, 400: AuthError, ...problems(403, 500, 501) } },
  ], `${base}/auth/token`)
}
