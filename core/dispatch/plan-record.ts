import type { Dispatch } from '#core/dispatch/dispatch.js'
import { takenBy } from '#core/dispatch/displace.js'
import type { Plan } from '#core/dispatch/plan.js'
import type { Taken } from '#core/dispatch/precedence.js'
import type { Stores } from '#core/port/store/index.js'
import type { W } from '#core/quantity/power.js'
import type { Work } from '#core/work.js'

export const kind = 'core/DispatchPlan'

/** What was known and wanted when a dispatch was planned, beside its ledger entry; one per dispatch, of its newest revision. */
export interface PlanRecord {
  readonly dispatch: string
  readonly revision: number
  readonly targets_W: Readonly<Record<string, W>> | null
  readonly overSubscribe: boolean
  /** CORE-066, CORE-072: what was asked beyond the order, kept apart from it. */
  readonly over_W: W
  readonly nominal_W: W
  readonly expected_W: W
  readonly lower_W: W
  /** CORE-070: what the control loop asks in addition because the measured portfolio is behind. */
  readonly compensation_W: W
  /** CORE-081: load after the event. */
  readonly rebound: { readonly energy_Wh: number; readonly power_W: W; readonly before_W: W; readonly after_W: W; readonly waves: number; readonly passes: readonly { readonly node: string; readonly rebound_W: W; readonly limit_W: W }[] }
  /** CORE-071: seconds until the last device has started. */
  readonly spread_s: number
  /** CORE-082: seconds after the end at which each resource is let go, where not at once. */
  readonly releaseAfter_s: Readonly<Record<string, number>>
  readonly control: ControlState | null
  /** Resources that are taken from other orders; done when the order goes out (CORE-053). */
  readonly taken: readonly Taken[]
}

/** Where the control loop stands (CORE-070). */
export interface ControlState {
  readonly at: number
  /** Steps in a row beyond the tolerance. */
  readonly beyond: number
  readonly measured_W: W
  readonly estimated_W: W
  readonly target_W: W
  readonly fresh: number
  readonly stale: number
  readonly lost: number
}

export function recordOf(dispatch: Pick<Dispatch, 'id' | 'revision'>, made: Plan, options: { targets_W: PlanRecord['targets_W']; overSubscribe: boolean }): PlanRecord {
  const { releaseAfter_s, ...rebound } = made.rebound
  return {
    dispatch: dispatch.id, revision: dispatch.revision, ...options, ...made.response, compensation_W: 0, rebound, spread_s: made.spread_s, releaseAfter_s: Object.fromEntries([...releaseAfter_s].filter(([, s]) => s > 0)), control: null, taken: takenBy(made.shares),
  }
}

export async function keepPlan({ stores, clock }: Pick<Work, 'stores' | 'clock'>, tenant: string, record: PlanRecord): Promise<void> {
  await stores.documents.insertMany<PlanRecord>([{ tenant, kind, id: record.dispatch, parent: '', body: record }], clock.nowMs(), { onConflict: 'replace' })
}

export const planOf = async (stores: Stores, tenant: string, dispatch: string): Promise<PlanRecord | undefined> => (await stores.documents.get<PlanRecord>(tenant, kind, dispatch))?.body
