import type { Stores } from '#core/port/store/index.js'
import type { Binding, Protocol } from '#core/program/resource.js'
import type { Instant } from '#core/quantity/interval.js'
import type { W } from '#core/quantity/power.js'
import type { TraceContext } from '#core/port/trace.js'

/**
 * One interval of a resource's order (core-dr.md §8). All in load, consumption positive:
 * `delta_W` is always there; `expected_W` is the forecast that `setpoint_W = expected_W + delta_W` and
 * `limitImport_W = max(floor, expected_W + delta_W)` were made with (CORE-090); null when no usable forecast exists.
 */
export interface OrderInterval {
  readonly start: Instant
  readonly end: Instant
  readonly delta_W: W
  readonly expected_W: W | null
  readonly setpoint_W: W | null
  readonly limitImport_W: W | null
  /** What other live orders ask of the same device at the same time, contained in the three absolute values (CORE-053). */
  readonly others_W?: W
}

/** What one resource is told for one dispatch, protocol-neutral. `id` is the delivery's id: the idempotency key of every channel. */
export interface DeliveryOrder {
  readonly id: string
  readonly tenant: string
  readonly dispatch: string
  readonly revision: number
  /** `minRate`: the program lets a charger fall to its least current where a pause would be due. */
  readonly program: { readonly id: string; readonly name: string; readonly minRate?: boolean }
  readonly resource: { readonly id: string; readonly name: string; readonly kind: string; readonly rated_W: W; readonly servicePoint: string }
  readonly binding: Binding
  readonly start: Instant
  readonly end: Instant
  readonly intervals: readonly OrderInterval[]
  readonly randomize_s: number
  /** No device may act on this order after `expiry` (CORE-200). */
  readonly expiry: Instant
  /** Lower wins, as everywhere in the protocols; from the dispatch's priority. */
  readonly priority: number
  /** Checks were overridden for it: it goes above other orders where a protocol can say so. */
  readonly emergency?: boolean
  /** Meter interval wanted in reports, seconds. */
  readonly reportEvery_s: number
  /** Epoch ms when the dispatch was published. */
  readonly createdAt: number
  /** The trace that the order was made in, where one is kept (UX-072). */
  readonly trace?: TraceContext
}

/** What became of one order at the edge; `failed` is retried, `refused` is final (the device or its declared modes say no). */
export interface SendOutcome {
  readonly id: string
  readonly outcome: 'sent' | 'acknowledged' | 'failed' | 'refused'
  readonly remoteRef?: string
  readonly reason?: string
}

/**
 * What a device does with no word from us (CORE-202): `by` in the protocol's own noun, `at` where it stands (a path or id; null = in
 * every order itself), the limit on its power in load watts or in percent of its own setting (null = none: it runs as it would without
 * us), and whether the device itself has said that it holds it.
 */
export type FailSafe =
  | { readonly held: true; readonly by: string; readonly at: string | null; readonly limit_W: W | null; readonly limit_percent: number | null; readonly confirmed: boolean }
  | { readonly held: false; readonly reason: string }

/** The device whose fail-safe is asked for; `binding` is the one that controls it (CORE-104). */
export interface FailSafeAsk {
  readonly resource: string
  readonly rated_W: W
  readonly binding: Binding
}

/**
 * A protocol's way of telling devices. `send` and `cancel` are idempotent on (order id, revision): asked twice with the same
 * content they have one effect (REL-002, CORE-207). They never throw for a device's failure: each order gets its outcome.
 * Later words of the device (received, started, optedOut …) go to `DeliveryHappenings`.
 */
export interface DispatchChannel {
  readonly protocol: Protocol
  send(orders: readonly DeliveryOrder[]): Promise<SendOutcome[]>
  cancel(orders: readonly DeliveryOrder[], reason: string): Promise<SendOutcome[]>
  /**
   * One answer for each question, in its order. Reads only through the stores it is handed: they are those of the running transaction.
   * Interpretation: a channel without it has nothing but the end that every order carries (CORE-200).
   */
  failSafe?(stores: Pick<Stores, 'documents'>, tenant: string, asks: readonly FailSafeAsk[]): Promise<FailSafe[]>
}
