import { VtnError } from '#ven-client/openadr/error.js'
import { isZero, lengthOf } from '#ven-client/openadr/duration.js'
import type { Event, Interval, ReportDescriptor, ReportRequest, Resource, SubscriptionRequest, Ven } from '#ven-client/openadr/objects.js'
import { understood } from '#ven-client/openadr/reading.js'
import type { Ask } from '#ven-client/openadr/request.js'
import { targetsTo301, targetsTo31, type Target301 } from '#vtn/wire/target301.js'

export type Revision = '3.1.1' | '3.0.1'
export const revisions: readonly Revision[] = ['3.1.1', '3.0.1']

/** The base path names the revision on most VTNs (OA-004); anything else is taken for 3.1. */
export const revisionOf = (url: string): Revision => (/\/3\.0(\.\d+)?\/*$/.test(url) ? '3.0.1' : '3.1.1')

type Json = Readonly<Record<string, unknown>>

/**
 * How a revision says on the wire what the rest of this client thinks in the words of 3.1. `read…` take what the VTN sent, as tolerantly
 * as everywhere here; the others make what is sent.
 */
export interface Dialect {
  readonly revision: Revision
  /** Does `/auth/server` name the token endpoint? If not it is the VTN's own (OA-242). */
  readonly authServer: boolean
  /** A token that is no longer good is answered 403 (OA-027). */
  readonly badTokenIsForbidden: boolean
  /** The VTN shows a VEN only what is meant for it (OA-240). */
  readonly privacy: boolean
  query(query: NonNullable<Ask['query']>): NonNullable<Ask['query']>
  readEvent(event: Event): Event
  readVen(ven: Ven): Ven
  readResource(resource: Resource): Resource
  resources(venID: string): string
  ven(venName: string, attributes: Ven['attributes']): Json
  resource(venID: string, resourceName: string, attributes: Ven['attributes']): Json
  /** `programOf` asks for the program of an event, where the report must name it (OA-238). */
  report(report: ReportRequest, programOf: (eventID: string) => Promise<string>): Promise<Json>
  subscription(subscription: SubscriptionRequest): Json
}

const same = <T>(value: T): T => value
const given = (attributes: Ven['attributes']): Json => (attributes ? { attributes } : {})

const dialect31: Dialect = {
  revision: '3.1.1', authServer: true, badTokenIsForbidden: false, privacy: true,
  query: same, readEvent: understood, readVen: same, readResource: same,
  resources: () => '/resources',
  ven: (venName, attributes) => ({ objectType: 'VEN_VEN_REQUEST', venName, ...given(attributes) }),
  resource: (venID, resourceName, attributes) => ({ objectType: 'VEN_RESOURCE_REQUEST', resourceName, venID, ...given(attributes) }),
  report: async ({ programID: _, ...report }) => ({ ...report }),
  subscription: (subscription) => ({ ...subscription }),
}

const dialect301: Dialect = {
  revision: '3.0.1', authServer: false, badTokenIsForbidden: true, privacy: false,
  query: query301,
  readEvent(given) {
    const event = understood(given)
    return lasting({ ...named(event), ...(event.reportDescriptors ? { reportDescriptors: event.reportDescriptors.map((d): ReportDescriptor => named(d)) } : {}) })
  },
  // OA-246: an event may be aimed at a ven or resource by its name.
  readVen: (ven) => named(ven, [`VEN_NAME=${ven.venName}`]),
  readResource: (resource) => named(resource, [`RESOURCE_NAME=${resource.resourceName}`]),
  resources: (venID) => `/vens/${encodeURIComponent(venID)}/resources`,
  ven: (venName, attributes) => ({ venName, ...given(attributes) }),
  resource: (_venID, resourceName, attributes) => ({ resourceName, ...given(attributes) }),
  report: async (report, programOf) => ({ ...report, programID: report.programID ?? await programOf(report.eventID) }),
  subscription(subscription) {
    if (subscription.programID === undefined) throw new VtnError('invalid', 'OpenADR 3.0.1 subscribes to one program at a time: say which (OA-239).')
    return { ...subscription, ...(subscription.targets ? { targets: targetsTo301(subscription.targets) } : {}) }
  },
}

export const dialectOf = (revision: Revision): Dialect => (revision === '3.0.1' ? dialect301 : dialect31)

/** OA-230: targets are lists of `{type, values}` there and names here. */
function named<T extends { readonly targets?: readonly string[] | null }>(object: T, more: readonly string[] = []): T {
  const sent = object.targets as readonly unknown[] | null | undefined
  if (!sent && more.length === 0) return object
  const targets = (sent ?? []).flatMap((t) => (typeof t === 'string' ? [t] : isTarget(t) ? targetsTo31([t]) : []))
  return { ...object, targets: [...targets, ...more] }
}
const isTarget = (value: unknown): value is Target301 =>
  typeof value === 'object' && value !== null && typeof (value as Partial<Target301>).type === 'string' && Array.isArray((value as Partial<Target301>).values)

/** OA-231, OA-244: one type at a time, and no `active`. */
function query301({ targets, active: _, ...query }: NonNullable<Ask['query']>): NonNullable<Ask['query']> {
  if (targets === undefined) return query
  const [one, ...more] = targetsTo301([targets].flat().map(String))
  if (more.length) throw new VtnError('invalid', 'OpenADR 3.0.1 asks for targets of one type at a time (OA-231).')
  return one ? { ...query, targetType: one.type, targetValues: one.values } : query
}

/** Payloads that are said once; all others hold until something else is said. */
const momentary = /^(ALERT_|DISPATCH_INSTRUCTION$|CTA2045_REBOOT$)/

/**
 * OA-237: a duration of PT0S, or none, is an instant or without end by payload type.
 * Interpretation: of the last interval alone, as the others end where the next one starts; year 0001 with PT0S stays what it is, a cancellation.
 */
function lasting(event: Event): Event {
  const last = event.intervals?.at(-1)
  const start = last?.intervalPeriod?.start ?? event.intervalPeriod?.start
  if (!last || start === undefined || (event.intervalPeriod?.start ?? start).startsWith('0001-')) return event
  const zero = isZero(lengthOf(last.intervalPeriod?.duration ?? event.intervalPeriod?.duration))
  if (!zero || (last.payloads ?? []).length === 0 || last.payloads.some((p) => momentary.test(p.type))) return event
  const endless: Interval = { ...last, intervalPeriod: { ...last.intervalPeriod, duration: 'P9999Y' } }
  return { ...event, intervals: [...event.intervals?.slice(0, -1) ?? [], endless] }
}
