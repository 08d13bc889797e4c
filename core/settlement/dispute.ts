import { note } from '#core/audit/note.js'
import type { Caller } from '#core/caller.js'
import { Refusal } from '#core/error.js'
import { present } from '#core/permission.js'
import type { Document } from '#core/port/store/document.js'
import { disputedAmount, holdPayout, releasePayout } from '#core/settlement/payout-hold.js'
import { disputeStates, type DisputeState } from '#core/settlement/dispute-states.js'
import { advance } from '#core/state-table.js'
import type { Work } from '#core/work.js'

export const disputeKind = 'core/Dispute'
/** CORE-192: the clock that a reviewer works against. */
const answerWithin_s = 30 * 86_400

/** A contest of a statement line; it freezes that line's payout, never edits it. */
export interface Dispute {
  readonly statement: string
  readonly run: string
  readonly servicePoint: string
  readonly line: string | null
  readonly reason: string
  readonly party: string | null
  readonly evidence: readonly string[]
  readonly state: DisputeState
  readonly answerBy: string
  readonly adjustment: string | null
  readonly history: readonly { readonly from: DisputeState | null; readonly to: DisputeState; readonly at: string; readonly by: string; readonly reason?: string }[]
}

export async function openDispute(work: Work, caller: Caller, wish: { statement: string; line?: string; reason: string; party?: string; evidence?: readonly string[] }): Promise<Document<Dispute>> {
  const { stores, clock, ids } = work, nowMs = clock.nowMs()
  const statement = present(await stores.statements.get(caller.tenant, wish.statement), 'statement', wish.statement)
  const until = (statement.body as { dispute?: { until?: number } } | null)?.dispute?.until
  if (until !== undefined && clock.now() > until) throw new Refusal('conflict', `this statement could be disputed until ${new Date(until * 1000).toISOString()}`)
  if (wish.line !== undefined && disputedAmount(statement, wish.line) === undefined) throw new Refusal('invalid', `the statement has no line '${wish.line}'`, { faults: [{ path: '/line', reason: 'is not a dispatch of this statement' }] })
  const body: Dispute = {
    statement: statement.id, run: statement.run, servicePoint: statement.servicePoint, line: wish.line ?? null, reason: wish.reason, party: wish.party ?? null, evidence: wish.evidence ?? [], state: 'opened',
    answerBy: new Date(nowMs + answerWithin_s * 1000).toISOString(), adjustment: null, history: [{ from: null, to: 'opened', at: new Date(nowMs).toISOString(), by: caller.user, reason: wish.reason }],
  }
  const stored = await stores.documents.insert<Dispute>({ tenant: caller.tenant, kind: disputeKind, id: ids.uuid(), parent: statement.id, body }, nowMs)
  await holdPayout(work, caller.tenant, stored.id, body)
  await note(work, caller, [{ action: 'dispute.open', entity: stored.id, reason: wish.reason, after: body }])
  return stored
}

/** Upheld needs what follows from it: a re-run of the period or an adjustment line, before it closes. */
export async function moveDispute(work: Work, caller: Caller, id: string, wish: { to: DisputeState; reason?: string; adjustment?: string; ifVersion?: number }): Promise<Document<Dispute>> {
  const { stores, clock } = work
  const before = present(await stores.documents.get<Dispute>(caller.tenant, disputeKind, id), 'dispute', id)
  if (wish.ifVersion !== undefined && wish.ifVersion !== before.version) throw new Refusal('stale', `the dispute is at version ${before.version}`)
  const state = advance(disputeStates, before.body.state, wish.to, 'dispute')
  const adjustment = wish.adjustment ?? before.body.adjustment
  if (state === 'closed' && (before.body.state === 'upheld' || before.body.state === 'partlyUpheld') && adjustment === null && !(await rerunAfter(work, caller.tenant, before.body)))
    throw new Refusal('conflict', 'an upheld dispute closes with an adjustment or after a re-run of its period')
  const step = { from: before.body.state, to: state, at: new Date(clock.nowMs()).toISOString(), by: caller.user, ...(wish.reason === undefined ? {} : { reason: wish.reason }) }
  const body: Dispute = { ...before.body, state, adjustment, history: [...before.body.history, step] }
  const stored = await stores.documents.replace<Dispute>({ ...before, body }, clock.nowMs(), before.version)
  if (state === 'closed') await releasePayout(work, caller.tenant, id, body)
  await note(work, caller, [{ action: `dispute.${state}`, entity: id, reason: wish.reason, before: before.body, after: body }])
  return stored
}

/** Words and evidence of either side, kept in the history; neither state nor money moves. */
export async function commentDispute(work: Work, caller: Caller, id: string, said: { text: string; evidence?: readonly string[] }): Promise<Document<Dispute>> {
  const { stores, clock } = work, before = present(await stores.documents.get<Dispute>(caller.tenant, disputeKind, id), 'dispute', id)
  if (before.body.state === 'closed') throw new Refusal('conflict', 'the dispute is closed')
  const step = { from: before.body.state, to: before.body.state, at: new Date(clock.nowMs()).toISOString(), by: caller.user, reason: said.text }
  const body: Dispute = { ...before.body, evidence: [...before.body.evidence, ...(said.evidence ?? [])], history: [...before.body.history, step] }
  const stored = await stores.documents.replace<Dispute>({ ...before, body }, clock.nowMs(), before.version)
  await note(work, caller, [{ action: 'dispute.comment', entity: id, reason: said.text, before: before.body, after: body }])
  return stored
}

async function rerunAfter({ stores }: Work, tenant: string, dispute: Dispute): Promise<boolean> {
  const run = await stores.settlementRuns.get(tenant, dispute.run)
  if (!run) return false
  const { items } = await stores.settlementRuns.list(tenant, { program: run.program }, { limit: 1000 })
  return items.some((r) => r.from === run.from && r.to === run.to && r.runNumber > run.runNumber)
}
