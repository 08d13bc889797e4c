import { readFileSync } from 'node:fs'
import type { TSchema } from 'typebox'
import { parse } from 'yaml'
import { Event, EventRequest } from '#vtn/wire/event.js'
import { eventPayloadDescriptor, interval, intervalPeriod, reportDescriptor, reportPayloadDescriptor, valuesMap } from '#vtn/wire/field.js'
import { MqttNotifierBindingObject, NotifiersResponse, NotifierTopicsResponse } from '#vtn/wire/notifier.js'
import { Notification } from '#vtn/wire/notification.js'
import { Problem } from '#vtn/wire/problem.js'
import { Program, ProgramRequest } from '#vtn/wire/program.js'
import { Report, ReportRequest } from '#vtn/wire/report.js'
import { BlResourceRequest, Resource, VenResourceRequest } from '#vtn/wire/resource.js'
import { Subscription, SubscriptionRequest } from '#vtn/wire/subscription.js'
import { AuthError, AuthServerInfo, ClientCredentialRequest, ClientCredentialResponse } from '#vtn/wire/token.js'
import { Event301, Program301, Report301, Resource301, Subscription301, Ven301 } from '#vtn/wire/v301.js'
import { BlVenRequest, Ven, VenVenRequest } from '#vtn/wire/ven.js'

interface Node {
  type?: string | undefined; required?: string[]; properties?: Record<string, Node>; items?: Node; enum?: unknown[]; const?: unknown; anyOf?: Node[]; oneOf?: Node[]; allOf?: Node[]
  minItems?: number; maxItems?: number; pattern?: string; minLength?: number; maxLength?: number; minimum?: number; maximum?: number; nullable?: boolean; format?: string; $ref?: string
}
export interface Api {
  readonly info?: { readonly version?: string }
  readonly components: { readonly schemas: Record<string, Node> }
  readonly paths: Record<string, Record<string, { operationId?: string; responses: Record<string, unknown>; security?: { oAuth2ClientCredentials?: string[] }[]; parameters?: { name: string }[] }>>
}

/** What we describe, by the names of the OpenADR files. */
export const described: Readonly<Record<'3.1.1' | '3.0.1', Readonly<Record<string, TSchema>>>> = {
  '3.1.1': {
    program: Program.schema, programRequest: ProgramRequest, report: Report.schema, reportRequest: ReportRequest, event: Event.schema, eventRequest: EventRequest, subscription: Subscription.schema,
    subscriptionRequest: SubscriptionRequest, ven: Ven.schema, BlVenRequest, VenVenRequest, resource: Resource.schema, BlResourceRequest, VenResourceRequest, interval, intervalPeriod, valuesMap,
    eventPayloadDescriptor, reportPayloadDescriptor, reportDescriptor, notification: Notification, clientCredentialRequest: ClientCredentialRequest, clientCredentialResponse: ClientCredentialResponse,
    authError: AuthError, authServerInfo: AuthServerInfo, problem: Problem, notifiersResponse: NotifiersResponse, mqttNotifierBindingObject: MqttNotifierBindingObject, notifierTopicsResponse: NotifierTopicsResponse,
  },
  '3.0.1': { program: Program301.schema, event: Event301.schema, report: Report301.schema, subscription: Subscription301.schema, ven: Ven301.schema, resource: Resource301.schema },
}

export const readApi = (file: string): Api => parse(readFileSync(file, 'utf8')) as Api

/** The revision whose descriptions a file is to be held against. */
export const revisionOf = (api: Api): '3.1.1' | '3.0.1' => (String(api.info?.version ?? '').startsWith('3.0') ? '3.0.1' : '3.1.1')

/** Every difference between our descriptions of a revision and the file, in a line that begins with the revision: names, types, limits, required members. */
export function openapiDifferences(api: Api, revision: '3.1.1' | '3.0.1'): string[] {
  const out: string[] = []
  for (const [name, schema] of Object.entries(described[revision])) {
    const theirs = api.components?.schemas?.[name]
    if (theirs) compare(name, schema as Node, theirs, api, out)
    else out.push(`${name}: only here`)
  }
  return out.map((difference) => `${revision} ${difference}`)
}

/** One form for both sides: references and allOf resolved, null as `nullable`, constants as enums. */
function plain(node: Node, api: Api | undefined): Node {
  if (node.$ref && api) return plain(api.components.schemas[node.$ref.split('/').at(-1) as string] as Node, api)
  if (node.allOf) {
    const parts = node.allOf.map((p) => plain(p, api))
    return { type: 'object', properties: Object.assign({}, ...parts.map((p) => p.properties)), required: [...new Set(parts.flatMap((p) => p.required ?? []))] }
  }
  const options = node.anyOf ?? node.oneOf
  if (options) {
    const rest = options.filter((o) => o.type !== 'null')
    if (rest.length < options.length && rest.length === 1) return { ...plain(rest[0] as Node, api), nullable: true }
    return { anyOf: rest.map((o) => plain(o, api)), ...(rest.length < options.length ? { nullable: true } : {}) }
  }
  return { ...node, ...(node.const === undefined ? {} : { enum: [node.const] }), ...(node.type === undefined && node.properties ? { type: 'object' } : {}) }
}

const kinds = (n: Node): string => (n.anyOf ?? []).map((o) => o.type ?? 'any').filter((k) => k !== 'integer').sort().join('|')

function compare(path: string, ours: Node, theirs: Node, api: Api, out: string[]): void {
  const a = plain(ours, undefined), b = plain(theirs, api)
  const say = (what: string, x: unknown, y: unknown): void => { if (JSON.stringify(x) !== JSON.stringify(y)) out.push(`${path}: ${what} ${JSON.stringify(x)} here, ${JSON.stringify(y)} there`) }
  if (a.anyOf || b.anyOf) return say('forms', kinds(a), kinds(b))
  say('type', a.type ?? (a.enum ? 'string' : undefined), b.type)
  say('nullable', a.nullable ?? false, b.nullable ?? false)
  for (const limit of ['pattern', 'minLength', 'maxLength', 'minItems', 'maxItems'] as const) say(limit, a[limit], b[limit])
  // int32 is `format` there and a range here; `default` and `format` of scalars are no constraint of the wire.
  if (b.format !== 'int32') { say('minimum', a.minimum, b.minimum); say('maximum', a.maximum, b.maximum) }
  if (a.enum || b.enum) say('enum', a.enum && [...a.enum].sort(), b.enum && [...b.enum].sort())
  if (a.items && b.items) compare(`${path}[]`, a.items, b.items, api, out)
  if (!b.properties) return
  say('required', [...(a.required ?? [])].sort(), [...(b.required ?? [])].sort())
  const names = (n: Node): string[] => Object.keys(n.properties ?? {})
  for (const name of names(a)) if (!names(b).includes(name)) out.push(`${path}.${name}: only here`)
  for (const name of names(b)) {
    const own = a.properties?.[name]
    if (own) compare(`${path}.${name}`, own, b.properties[name] as Node, api, out)
    else out.push(`${path}.${name}: only there`)
  }
}
