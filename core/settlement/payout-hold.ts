import type { Work } from '#core/work.js'
import { Exact, type Money } from '#core/quantity/money.js'
import type { Dispute } from '#core/settlement/dispute.js'
import { postingKind, type Entry, type Posting } from '#core/settlement/ledger.js'
import type { Statement } from '#core/settlement/settlement-run.js'

/** Where the money of a contested line waits. */
export const heldAccount = (servicePoint: string): string => `held:${servicePoint}`

interface Lines { readonly lines?: readonly { readonly dispatch: string; readonly amount: Money }[] }

/** CORE-192: what a dispute freezes: its line (by dispatch id), or everything the statement pays where it names none. */
export function disputedAmount(statement: Pick<Statement, 'amount' | 'body'>, line: string | null): Money | undefined {
  if (line === null) return statement.amount
  return ((statement.body ?? {}) as Lines).lines?.find((l) => l.dispatch === line)?.amount
}

const minus = (amount: Money): Money => (new Exact(amount).isZero() ? amount : amount.startsWith('-') ? amount.slice(1) : `-${amount}`)

/** From one account to another, balanced (CORE-190). Nothing for nothing. */
function moved(posting: string, from: string, to: string, amount: Money): Entry[] {
  return new Exact(amount).isZero() ? [] : [{ posting, account: from, amount: minus(amount) }, { posting, account: to, amount }]
}

async function keep({ stores, clock, ids }: Work, tenant: string, program: string, from: number, key: string, currency: string, entries: readonly Entry[]): Promise<void> {
  if (entries.length === 0) return
  await stores.documents.insert<Posting>({ tenant, kind: postingKind, id: ids.uuid(), parent: program, key, sort1: from, body: { id: key, currency, entries } }, clock.nowMs())
}

async function held({ stores }: Work, tenant: string, program: string, dispute: string): Promise<Posting | undefined> {
  return (await stores.documents.byKey<Posting>(tenant, postingKind, program, `hold/${dispute}`))?.body
}

/** Takes the payout of a contested line aside; before the run is issued there is none yet, then `issueRun` asks again. */
export async function holdPayout(work: Work, tenant: string, id: string, dispute: Dispute): Promise<void> {
  const run = await work.stores.settlementRuns.get(tenant, dispute.run), statement = await work.stores.statements.get(tenant, dispute.statement)
  if (!run || !statement || run.state !== 'issued' || await held(work, tenant, run.program, id)) return
  const amount = disputedAmount(statement, dispute.line)
  if (amount !== undefined) await keep(work, tenant, run.program, run.from, `hold/${id}`, run.currency, moved(`hold/${id}`, dispute.servicePoint, heldAccount(dispute.servicePoint), amount))
}

/** Lets it go when the dispute closes, with the adjustment that was decided: a line of its own, never an edit. */
export async function releasePayout(work: Work, tenant: string, id: string, dispute: Dispute): Promise<void> {
  const run = await work.stores.settlementRuns.get(tenant, dispute.run)
  if (!run) return
  const hold = await held(work, tenant, run.program, id), amount = hold?.entries.find((e) => e.account === heldAccount(dispute.servicePoint))?.amount
  if (amount !== undefined) await keep(work, tenant, run.program, run.from, `release/${id}`, run.currency, moved(`release/${id}`, heldAccount(dispute.servicePoint), dispute.servicePoint, amount))
  if (dispute.adjustment !== null) await keep(work, tenant, run.program, run.from, `adjustment/${id}`, run.currency, moved(`adjustment/${id}`, 'aggregator', dispute.servicePoint, dispute.adjustment))
}
