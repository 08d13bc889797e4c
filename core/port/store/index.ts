import type { Bus } from '#core/port/bus.js'
import type { Availability } from '#core/availability/availability.js'
import type { Delivery } from '#core/dispatch/delivery.js'
import type { Dispatch, DispatchState } from '#core/dispatch/dispatch.js'
import type { Agenda } from '#core/port/store/agenda.js'
import type { AuditStore } from '#core/port/store/audit.js'
import type { DocumentStore } from '#core/port/store/document.js'
import type { NamedTable, Table } from '#core/port/store/entity.js'
import type { ReadingStore } from '#core/port/store/reading.js'
import type { Aggregation } from '#core/program/aggregation.js'
import type { Enrolment, EnrolmentState } from '#core/program/enrolment.js'
import type { Program } from '#core/program/program.js'
import type { Protocol, Resource } from '#core/program/resource.js'
import type { ServicePoint } from '#core/program/service-point.js'
import type { Served } from '#core/kpi/service-level.js'
import type { Instant } from '#core/quantity/interval.js'
import type { SettlementRun, Statement } from '#core/settlement/settlement-run.js'
import type { VerificationResult } from '#core/verification/results.js'

export interface ResourceTable extends NamedTable<Resource, { servicePoint?: string; kind?: string; servicePoints?: readonly string[] }> {
  byRemote(tenant: string, protocol: Protocol, remoteId: string, evseId?: number): Promise<Resource | undefined>
  /** Every resource with a binding to one of these remote devices. */
  boundTo(tenant: string, remotes: readonly { readonly protocol: Protocol; readonly remoteId: string }[]): Promise<Resource[]>
}

export interface DispatchTable extends Table<Dispatch, { program?: string; state?: DispatchState; from?: Instant; to?: Instant }> {
  /** Dispatches of any program that overlap [from, to) and are not cancelled or rejected. */
  overlapping(tenant: string, from: Instant, to: Instant): Promise<Dispatch[]>
}

export interface DeliveryTable extends Table<Delivery, { dispatch?: string; resource?: string; state?: string }> {
  /** All deliveries of one dispatch, by resource id. */
  of(tenant: string, dispatch: string): Promise<Delivery[]>
  /** Deliveries of these resources whose order overlaps [from, to) and has not ended early. */
  promised(tenant: string, resources: readonly string[], from: Instant, to: Instant): Promise<Delivery[]>
  /** Stores many whole entities at once, version + 1 each; throws 'stale' if any moved. */
  updateMany(deliveries: readonly Delivery[]): Promise<Delivery[]>
}

export interface AvailabilityTable {
  declare(tenant: string, rows: readonly Availability[]): Promise<void>
  /** The newest belief issued at or before `asOf` (epoch ms) for every interval that overlaps [from, to) (CORE-030). */
  believed(tenant: string, resources: readonly string[], from: Instant, to: Instant, asOf: number): Promise<Availability[]>
}

/** First answers of commands that carried an Idempotency-Key (CORE-013); `bodyHash` tells the same body from another. */
export interface IdempotencyTable {
  get(tenant: string, key: string): Promise<{ bodyHash: string; status: number; body: unknown } | undefined>
  put(tenant: string, key: string, bodyHash: string, status: number, body: unknown, nowMs: number): Promise<void>
}

/** Figures that the database counts, so that nobody loads ten thousand rows for one number (CORE-195). */
export interface TallyStore {
  /** Enrolments by state. */
  enrolments(tenant: string, program?: string): Promise<Readonly<Record<string, number>>>
  /** Deliveries of these dispatches by state; how many were acknowledged and obeyed; milliseconds from order to delivery at the nearest rank. */
  deliveries(tenant: string, dispatches: readonly string[]): Promise<{ readonly byState: Readonly<Record<string, number>>; readonly responded: number; readonly latency_ms: { readonly p50: number | null; readonly p95: number | null; readonly p99: number | null } }>
  /** Of each of these dispatches: its deliveries by state; one without any is left out. */
  deliveriesOf(tenant: string, dispatches: readonly string[]): Promise<ReadonlyMap<string, Readonly<Record<string, number>>>>
  /** How each link of the chain was served between two instants, in buckets of five minutes (CORE-197). */
  served(tenant: string, from: Instant, to: Instant): Promise<readonly Served[]>
  /** The newest performance of each of these dispatches; those without a number are left out. */
  performances(tenant: string, dispatches: readonly string[]): Promise<readonly { readonly dispatch: string; readonly delivered_kWh: number; readonly allocated_kW: number }[]>
}

/**
 * REL-025, REL-026: the one order of locks. (1) A command that sells, frees or judges what a tenant has holds the ledger, before it reads
 * what it decides on; (2) deliveries, in order of id; (3) dispatches; (4) all else; (5) the audit chain, at COMMIT, by itself.
 */
export interface Ledger {
  /**
   * Waits for the tenant's ledger and holds it until the unit of work ends; again is the same as once. There is one for watts, one for money
   * and one for what was told of many: a settlement of a month holds up no order. A unit of work holds one of them.
   */
  hold(tenant: string, of?: 'capacity' | 'money' | 'aggregates'): Promise<void>
}

/** Every store of core, in one hand: inside `UnitOfWork.run` all of them share the transaction. */
export interface Stores {
  readonly programs: NamedTable<Program, { state?: Program['state'] }>
  readonly servicePoints: NamedTable<ServicePoint, { node?: string }>
  readonly resources: ResourceTable
  readonly enrolments: Table<Enrolment, { program?: string; servicePoint?: string; servicePoints?: readonly string[]; state?: EnrolmentState }>
  readonly aggregations: NamedTable<Aggregation, { hierarchy?: string; parent?: string }>
  readonly availability: AvailabilityTable
  readonly dispatches: DispatchTable
  readonly deliveries: DeliveryTable
  readonly readings: ReadingStore
  readonly verifications: Table<VerificationResult, { dispatch?: string; kind?: string; subject?: string }>
  readonly settlementRuns: Table<SettlementRun, { program?: string; state?: string }>
  readonly statements: Table<Statement, { run?: string; servicePoint?: string }>
  readonly audit: AuditStore
  readonly ledger: Ledger
  readonly agenda: Agenda
  readonly idempotency: IdempotencyTable
  readonly documents: DocumentStore
  readonly tallies: TallyStore
}

/**
 * One command is one transaction, outbox and audit rows included (CORE-015). `run` retries serialization failures and deadlocks
 * with jitter, at most five times (REL-025), so `work` must have no effect outside the stores it is handed.
 */
export interface UnitOfWork {
  run<T>(work: (stores: Stores) => Promise<T>, options?: { isolation?: 'readCommitted' | 'serializable' }): Promise<T>
}

/** Stores outside a transaction (each call its own) and the way into one. */
export interface Database {
  readonly stores: Stores
  readonly unitOfWork: UnitOfWork
  /** Words to and from the other processes on the same database. */
  readonly bus: Bus
  /** Tells the planner what a large import brought, so that the questions after it go by its indexes at once. Never fails: the answers are the same without. */
  refreshStatistics(tables: 'readings' | 'enrolments'): Promise<void>
  /** True when the database answers within its bounded wait; for readiness. */
  ping(): Promise<boolean>
  close(): Promise<void>
}
