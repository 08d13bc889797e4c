import { hashOf, note } from '#core/audit/note.js'
import type { Caller } from '#core/caller.js'
import { dispatchStates } from '#core/dispatch/dispatch-states.js'
import { Refusal } from '#core/error.js'
import { mustSeeProgram, present } from '#core/permission.js'
import { every } from '#core/port/store/every.js'
import type { Draft } from '#core/port/store/entity.js'
import type { Program } from '#core/program/program.js'
import { verdict } from '#core/program/screening.js'
import { Exact, type Money } from '#core/quantity/money.js'
import { advance, next } from '#core/state-table.js'
import { post, postingKind, type Posting } from '#core/settlement/ledger.js'
import { calculate, type RunInput, type RunResult } from '#core/settlement/run.js'
import { rerunDeltas } from '#core/settlement/rerun.js'
import { doubleClaims } from '#core/settlement/ledger.js'
import { runInput, claimsOf } from '#core/settlement/run-input.js'
import { runStates } from '#core/settlement/run-states.js'
import type { SettlementRun, Statement } from '#core/settlement/settlement-run.js'
import { disputeKind, type Dispute } from '#core/settlement/dispute.js'
import { holdPayout } from '#core/settlement/payout-hold.js'
import type { Work } from '#core/work.js'

/** CORE-186: freezes the inputs of a program and period, calculates, and keeps both with their hashes. Earlier runs stay as they are. */
export async function calculateRun(work: Work, caller: Caller, wish: { program: string; from: number; to: number; reason?: string }): Promise<SettlementRun> {
  const { stores, ids } = work, { tenant } = caller
  const program = present(await stores.programs.find(tenant, wish.program), 'program', wish.program)
  mustSeeProgram(caller, program.id)
  if (wish.to <= wish.from) throw new Refusal('invalid', 'a period must end after it starts', { faults: [{ path: '/to', reason: 'not after from' }] })
  const id = ids.uuid()
  await stores.ledger.hold(tenant, 'money')
  await note(work, caller, [{ action: 'settlementRun.calculate', entity: id, reason: wish.reason }])
  const input = await runInput(stores, tenant, program, wish)
  await refuseDoubleClaims(work, tenant, program, input)
  const earlier = (await every((page) => stores.settlementRuns.list(tenant, { program: program.id }, page), 200)).filter((r) => r.from === wish.from && r.to === wish.to)
  const before = earlier.filter((r) => r.state !== 'superseded').at(-1), issued = earlier.filter((r) => r.state === 'issued').at(-1)
  const result = calculate(input)
  const run = await stores.settlementRuns.insert({
    id, tenant, program: program.id, programVersion: program.programVersion, from: wish.from, to: wish.to, runNumber: earlier.length + 1,
    supersedes: before?.id ?? null, state: advance(runStates, 'draft', 'calculate', 'settlement run'), calculatedBy: caller.user, approvedBy: null, currency: program.currency,
    revenue: result.revenue, customerPool: result.customerPool, aggregator: result.aggregator, input, inputHash: hashOf(input), result, resultHash: hashOf(result),
  })
  await stores.statements.insertMany(statements(run, input, result, issued?.result as RunResult | undefined, ids.uuid))
  // a run that was never issued gives way at once; an issued one when its successor is issued
  for (const old of earlier) if (old.state === 'calculated' || old.state === 'approved') await stores.settlementRuns.update({ ...old, state: advance(runStates, old.state, 'supersede', 'settlement run') })
  await note(work, caller, [{ action: 'settlementRun.calculated', entity: id, before: before?.resultHash, after: { inputHash: run.inputHash, resultHash: run.resultHash } }])
  return run
}

/** CORE-189: the run fails with the list. */
async function refuseDoubleClaims(work: Work, tenant: string, program: Program, input: RunInput): Promise<void> {
  const others = (await every((page) => work.stores.settlementRuns.list(tenant, { state: 'issued' }, page), 200)).filter((r) => r.program !== program.id && r.from < input.to && r.to > input.from)
  if (others.length === 0) return
  const programs = new Map([program, ...await work.stores.programs.getMany(tenant, others.map((r) => r.program))].map((p) => [p.id, p]))
  const stacks = (a: string, b: string): boolean => ['free', 'stack-capacity'].includes(verdict(programs.get(a)!, programs.get(b)!))
  const claims = [...claimsOf(program.id, input), ...others.flatMap((r) => claimsOf(r.program, r.input as RunInput))]
  const double = doubleClaims(claims, stacks)
  if (double.length > 0) throw new Refusal('conflict', `${double.length} intervals are claimed by two programs (CORE-189)`, {
    faults: double.slice(0, 1000).map((d) => ({ path: d.point, reason: `${new Date(d.start * 1000).toISOString()} is claimed by ${d.programs.join(' and ')}` })),
  })
}

/** CORE-187, CORE-191: per party the new total and the delta to what was issued before; a party that fell out gets its amount back. */
function statements(run: SettlementRun, input: RunInput, now: RunResult, issued: RunResult | undefined, newId: () => string): Draft<Statement>[] {
  const deltas = new Map(rerunDeltas(run.currency, issued?.payments ?? {}, now.payments).map((d) => [d.party, d.delta]))
  const parties = new Set([...Object.keys(now.payments), ...Object.keys(issued?.payments ?? {})])
  const events = new Map(input.events.map((e) => [e.dispatch, { e, points: new Map(e.points.map((p) => [p.id, p])) }]))
  const zero: Money = new Exact(0).toFixed((now.revenue.split('.')[1] ?? '').length)
  return [...parties].sort().map((servicePoint) => ({
    id: newId(), tenant: run.tenant, run: run.id, servicePoint, delivered_Wh: now.energy_Wh[servicePoint] ?? 0, amount: now.payments[servicePoint] ?? zero,
    delta: deltas.get(servicePoint) ?? zero, currency: run.currency,
    body: {
      period: { from: run.from, to: run.to }, runNumber: run.runNumber, supersedes: run.supersedes, share: input.points[servicePoint]?.share ?? input.terms.customerShare,
      method: input.terms.method, level: input.terms.level, price: input.terms.energyPrice,
      lines: [...now.events.flatMap((e) => {
        const paid_Wh = e.energy_Wh[servicePoint], event = events.get(e.dispatch), own = event?.points.get(servicePoint)
        return paid_Wh === undefined && !own ? [] : [{
          dispatch: e.dispatch, kind: 'energy', start: event?.e.intervals[0]?.start ?? null, end: event?.e.intervals.at(-1)?.end ?? null, paid_kWh: (paid_Wh ?? 0) / 1000, own_kWh: own?.own_kWh ?? null, baseline_kWh: own?.baseline_kWh ?? null, metered_kWh: own?.metered_kWh ?? null, flags: [...own?.flags ?? [], ...(event?.e.yielded?.[servicePoint] ? ['ENERGY_PAID_ELSEWHERE'] : [])], account: own?.account ?? null, amount: e.payments[servicePoint] ?? zero, status: own?.status,
          days: event?.e.days, verification: event?.e.verification, components: e.lines,
        }]
      }), ...periodLines(input, now, servicePoint)],
      dispute: { until: run.to + input.terms.disputeDays * 86_400, how: 'POST /api/v1/disputes with this statement and the line' },
    },
  }))
}

/** What is paid or charged for the period and not for one event: every amount of a statement is one of its lines (CORE-180). */
function periodLines(input: RunInput, now: RunResult, servicePoint: string): object[] {
  const plain = { start: input.from, end: input.to, paid_kWh: 0, own_kWh: null }, paid = now.period?.payments[servicePoint], out = now.optOuts?.[servicePoint]
  return [
    ...(paid === undefined ? [] : [{ ...plain, dispatch: 'period', kind: 'period', amount: paid, components: now.period!.lines, ...(input.capacityElsewhere?.[servicePoint] ? { capacityPaidBy: input.capacityElsewhere[servicePoint].program } : {}) }]),
    ...(out === undefined ? [] : [{ ...plain, dispatch: 'optOuts', kind: 'optOut', amount: out.amount, components: [{ name: 'optOut', formula: '- opt-outs beyond the free ones × penalty', inputs: { count: String(out.count), penalty: input.terms.optOutPenalty! }, amount: out.amount }] }]),
  ]
}

async function move(work: Work, caller: Caller, id: string, happening: 'approve' | 'issue', ifVersion: number | undefined): Promise<{ before: SettlementRun; state: SettlementRun['state'] }> {
  const before = present(await work.stores.settlementRuns.get(caller.tenant, id), 'settlement run', id)
  mustSeeProgram(caller, before.program)
  if (ifVersion !== undefined && ifVersion !== before.version) throw new Refusal('stale', `the settlement run is at version ${before.version}`)
  return { before, state: advance(runStates, before.state, happening, 'settlement run') }
}

/** CORE-186: by another user than the one who calculated. */
export async function approveRun(work: Work, caller: Caller, id: string, ifVersion?: number): Promise<SettlementRun> {
  const { before, state } = await move(work, caller, id, 'approve', ifVersion)
  if (before.calculatedBy === caller.user) throw new Refusal('conflict', 'a settlement run must be approved by another user than the one who calculated it')
  const approved = await work.stores.settlementRuns.update({ ...before, state, approvedBy: caller.user })
  await note(work, caller, [{ action: 'settlementRun.approve', entity: id, before: before.state, after: { state, resultHash: before.resultHash } }])
  return approved
}

/** CORE-190, CORE-188: posts what changed since the last issue, balanced; without a difference nothing is posted. */
export async function issueRun(work: Work, caller: Caller, id: string, ifVersion?: number): Promise<SettlementRun> {
  const { stores, ids, clock } = work, { tenant } = caller
  await stores.ledger.hold(tenant, 'money')
  const { before, state } = await move(work, caller, id, 'issue', ifVersion)
  // another program's run of the same intervals may have been issued since this one was calculated
  await refuseDoubleClaims(work, tenant, present(await stores.programs.get(tenant, before.program), 'program', before.program), before.input as RunInput)
  const old = (await every((page) => stores.settlementRuns.list(tenant, { program: before.program, state: 'issued' }, page), 200)).filter((r) => r.from === before.from && r.to === before.to)
  const posting = postingOf(before, old.at(-1))
  if (posting.entries.length > 0) await stores.documents.insert<Posting>({ tenant, kind: postingKind, id: ids.uuid(), parent: before.program, key: id, sort1: before.from, body: posting }, clock.nowMs())
  for (const r of old) await stores.settlementRuns.update({ ...r, state: advance(runStates, r.state, 'supersede', 'settlement run') })
  const issued = await stores.settlementRuns.update({ ...before, state })
  // CORE-192: what was contested between calculation and issue is not paid out either
  for (const s of await every((page) => stores.statements.list(tenant, { run: id }, page)))
    for (const d of await stores.documents.list<Dispute>(tenant, { kind: disputeKind, parent: s.id, limit: 100 })) if (d.body.state !== 'closed') await holdPayout(work, tenant, d.id, d.body)
  for (const d of await stores.dispatches.getMany(tenant, (before.input as RunInput).events.map((e) => e.dispatch))) {
    const settled = next(dispatchStates, d.state, 'settle', 'dispatch')
    if (typeof settled === 'string' && settled !== d.state) await stores.dispatches.update({ ...d, state: settled })
  }
  await note(work, caller, [{ action: 'settlementRun.issue', entity: id, before: before.state, after: { state, posting } }])
  return issued
}

function postingOf(run: SettlementRun, issued: SettlementRun | undefined): Posting {
  const now = run.result as RunResult, was = issued?.result as RunResult | undefined
  const minus = (a: Money, b: Money | undefined): Money => new Exact(a).minus(b ?? 0).toFixed((a.split('.')[1] ?? '').length)
  const payments = Object.fromEntries(rerunDeltas(run.currency, was?.payments ?? {}, now.payments).map((d) => [d.party, d.delta]))
  const parties = Object.fromEntries(rerunDeltas(run.currency, was?.parties ?? {}, now.parties ?? {}).map((d) => [d.party, d.delta]))
  return post({ parties, id: run.id, currency: run.currency, buyer: 'buyer', aggregator: 'aggregator', revenue: minus(now.revenue, was?.revenue), tax: minus(now.tax, was?.tax), payments })
}
