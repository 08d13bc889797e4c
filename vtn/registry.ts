import type { TSchema } from 'typebox'
import type { Resource as Described } from '#core/describe/resource.js'
import type { Behaviour } from '#vtn/behaviour.js'
import { event } from '#vtn/resource/event.js'
import { program } from '#vtn/resource/program.js'
import { report } from '#vtn/resource/report.js'
import { resource } from '#vtn/resource/resource.js'
import { subscription } from '#vtn/resource/subscription.js'
import { ven } from '#vtn/resource/ven.js'
import type { Scope } from '#vtn/scope.js'
import { Event, EventRequest } from '#vtn/wire/event.js'
import type { ObjectType } from '#vtn/wire/field.js'
import { Program, ProgramRequest } from '#vtn/wire/program.js'
import { Report, ReportRequest } from '#vtn/wire/report.js'
import { Resource, ResourceRequest } from '#vtn/wire/resource.js'
import { Subscription, SubscriptionRequest } from '#vtn/wire/subscription.js'
import { Ven, VenRequest } from '#vtn/wire/ven.js'

/** One kind of object: what it is, what may be sent, who may, and what we do. Routes, lists, paging and OpenAPI come from this. */
export interface Noun {
  readonly objectType: ObjectType
  readonly described: Described
  readonly request: TSchema
  readonly collection: string
  readonly read: Scope
  readonly write: Scope
  /** Query parameters of the list besides skip and limit, for OpenAPI. */
  readonly parameters: readonly string[]
  /** The same of 3.0.1 (OA-231, OA-232, OA-244). */
  readonly parameters301: readonly string[]
  // Contents are checked by `request` before a behaviour sees them; the registry holds behaviours of different contents.
  readonly behaviour: Behaviour
}

const byType = ['targetType', 'targetValues']

const noun = <C>(objectType: ObjectType, described: Described, request: TSchema, scopes: readonly [Scope, Scope], parameters: readonly string[], behaviour: Behaviour<C>): Noun => ({
  objectType, described, request, collection: `/${described.name}s`, read: scopes[0], write: scopes[1], parameters, parameters301: [...parameters.filter((p) => !['active', 'venID', 'targets'].includes(p)), ...(objectType === 'REPORT' ? [] : byType)], behaviour: behaviour as unknown as Behaviour,
})

/** What this server speaks (OpenADR 3.1.1 YAML, paths). */
export const registry: readonly Noun[] = [
  noun('PROGRAM', Program, ProgramRequest, ['read_targets', 'write_programs'], ['targets', 'programName'], program),
  noun('EVENT', Event, EventRequest, ['read_targets', 'write_events'], ['programID', 'targets', 'active'], event),
  noun('REPORT', Report, ReportRequest, ['read_ven_objects', 'write_reports'], ['programID', 'eventID', 'clientName'], report),
  noun('SUBSCRIPTION', Subscription, SubscriptionRequest, ['read_ven_objects', 'write_subscriptions'], ['programID', 'clientName', 'objects'], subscription),
  noun('VEN', Ven, VenRequest, ['read_ven_objects', 'write_vens'], ['venName', 'targets'], ven),
  noun('RESOURCE', Resource, ResourceRequest, ['read_ven_objects', 'write_vens'], ['resourceName', 'venID', 'targets'], resource),
]

export const nounOf = (objectType: ObjectType): Noun => registry.find((n) => n.objectType === objectType) as Noun
