import { Type, type TSchema } from 'typebox'
import { openapi, type Operation } from '#core/describe/openapi.js'
import type { Resource } from '#core/describe/resource.js'
import { resource } from '#core/describe/resource.js'
import { registry } from '#vtn/registry.js'
import { NotifiersResponse } from '#vtn/wire/notifier.js'
import { Notification } from '#vtn/wire/notification.js'
import { Problem } from '#vtn/wire/problem.js'
import { AuthServerInfo, ClientCredentialResponse } from '#vtn/wire/token.js'

const problems = (...codes: number[]): Record<number, TSchema> => Object.fromEntries(codes.map((c) => [c, Problem]))

/** OA-010: what this deployment offers, from the same descriptions that the doors check with. */
export function document31(base: string): object {
  const operations: Operation[] = registry.flatMap((noun): Operation[] => {
    const { name, schema } = noun.described, one = `${base}${noun.collection}/:${name}ID`, all = base + noun.collection
    const said = (verb: string): string => `${verb} ${name}`
    return [
      { method: 'GET', url: all, operationId: `list_${name}`, summary: said('list'), answers: { 200: Type.Array(schema), ...problems(400, 401, 403, 500) } },
      { method: 'POST', url: all, operationId: `create_${name}`, summary: said('create'), body: noun.request, answers: { 201: schema, ...problems(400, 401, 403, 409, 500) } },
      { method: 'GET', url: one, operationId: `get_${name}`, summary: said('read'), answers: { 200: schema, ...problems(400, 401, 403, 404, 500) } },
      { method: 'PUT', url: one, operationId: `update_${name}`, summary: said('replace'), body: noun.request, answers: { 200: schema, ...problems(400, 401, 403, 404, 409, 500) } },
      { method: 'DELETE', url: one, operationId: `delete_${name}`, summary: said('delete'), answers: { 200: schema, ...problems(400, 401, 403, 404, 500) } },
    ]
  })
  const parts: readonly Resource[] = [resource('problem', 'OA-050', Problem), resource('notification', 'OA-122', Notification)]
  return openapi({ title: 'Loadstone VTN, OpenADR 3.1.1', version: '3.1.1' }, [...registry.map((n) => n.described), ...parts], [
    ...operations,
    { method: 'GET', url: `${base}/auth/server`, operationId: 'getAuthServerInfo', summary: 'where tokens are issued', answers: { 200: AuthServerInfo } },
    { method: 'POST', url: `${base}/auth/token`, operationId: 'fetchToken', summary: 'client credentials grant', answers: { 200: ClientCredentialResponse, ...problems(400, 401, 500, 501) } },
    { method: 'GET', url: `${base}/notifiers`, operationId: 'listAllNotifiers', summary: 'ways of being told', answers: { 200: NotifiersResponse } },
  ])
}
