import { Type, type Static } from 'typebox'
import { present, seesProgram } from '#core/permission.js'
import { disputeKind, moveDispute, openDispute, type Dispute } from '#core/settlement/dispute.js'
import type { DisputeState } from '#core/settlement/dispute-states.js'
import { approveRun, calculateRun, issueRun } from '#core/settlement/close.js'
import type { SettlementRun, Statement } from '#core/settlement/settlement-run.js'
import type { Document } from '#core/port/store/document.js'
import { approvers, money, settlers, staff } from '#core/operator/roles.js'
import { created, ok, type OperatorRoute } from '#core/operator/route.js'
import { closed, filter, page, reference, text, time, version } from '#core/operator/schema.js'
import { instantOf, own, pageOf, rfc3339, stamp } from '#core/operator/wire.js'

const run = closed({ program: reference, from: time, to: time, reason: Type.Optional(text) })
const step = closed({ reason: Type.Optional(text), version })
const open = closed({ statement: reference, line: Type.Optional(Type.String({ maxLength: 200 })), reason: text, evidence: Type.Optional(Type.Array(text, { maxItems: 100 })), party: Type.Optional(text) })
const disputeStep = closed({
  to: Type.Union((['underReview', 'upheld', 'partlyUpheld', 'rejected', 'closed'] as const).map((s) => Type.Literal(s))), reason: Type.Optional(text), adjustment: Type.Optional(Type.String({ pattern: '^-?\\d+(\\.\\d+)?$' })), version,
})

const runView = (r: SettlementRun) => ({
  ...own(r), program: r.program, programVersion: r.programVersion, from: rfc3339(r.from), to: rfc3339(r.to), runNumber: r.runNumber, supersedes: r.supersedes, state: r.state, calculatedBy: r.calculatedBy,
  approvedBy: r.approvedBy, currency: r.currency, revenue: r.revenue, customerPool: r.customerPool, aggregator: r.aggregator, inputHash: r.inputHash, resultHash: r.resultHash,
})
const statementView = (s: Statement) => ({ ...own(s), run: s.run, servicePoint: s.servicePoint, delivered_kWh: s.delivered_Wh / 1000, amount: s.amount, delta: s.delta, currency: s.currency, body: s.body })
const disputeView = (d: Document<Dispute>) => ({ id: d.id, version: d.version, createdAt: stamp(d.createdAt), modifiedAt: stamp(d.modifiedAt), ...d.body })

export const settlementRoutes: readonly OperatorRoute[] = [
  { method: 'GET', path: 'settlement-runs', summary: 'Settlement runs', roles: money, query: page({ program: filter, state: filter }),
    read: async (ask) => {
      const { stores } = ask.core.database, { program, state } = ask.query
      const id = program === undefined ? undefined : present(await stores.programs.find(ask.caller.tenant, program), 'program', program).id
      const { items, next } = await stores.settlementRuns.list(ask.caller.tenant, { ...(id === undefined ? {} : { program: id }), ...(state === undefined ? {} : { state }) }, pageOf(ask))
      return ok({ items: items.filter((r) => seesProgram(ask.caller, r.program)).map(runView), next })
    } },
  { method: 'POST', path: 'settlement-runs', summary: 'Calculate a program and period', roles: settlers, body: run, example: { program: 'peak', from: '2026-07-01T00:00:00-06:00', to: '2026-08-01T00:00:00-06:00' },
    command: async (work, ask) => {
      const b = ask.body as Static<typeof run>
      const program = present(await work.stores.programs.find(ask.caller.tenant, b.program), 'program', b.program)
      const r = await calculateRun(work, ask.caller, { program: program.id, from: instantOf(b.from, program.timeZone, '/from'), to: instantOf(b.to, program.timeZone, '/to'), ...(b.reason === undefined ? {} : { reason: b.reason }) })
      return created('settlement-runs', r.id, runView(r))
    } },
  { method: 'GET', path: 'settlement-runs/:id', summary: 'One run with its frozen inputs and result', roles: money,
    read: async ({ core, caller, params }) => {
      const r = await core.database.stores.settlementRuns.get(caller.tenant, params.id!)
      const found = present(r && seesProgram(caller, r.program) ? r : undefined, 'settlement run', params.id!)
      return ok({ ...runView(found), input: found.input, result: found.result })
    } },
  { method: 'POST', path: 'settlement-runs/:id/approve', summary: 'Approval by another user than the one who calculated', roles: approvers, body: step, command: async (work, ask) => ok(runView(await approveRun(work, ask.caller, ask.params.id!, ask.ifVersion))) },
  { method: 'POST', path: 'settlement-runs/:id/issue', summary: 'Issue the statements and post the ledger', roles: ['admin', 'settlement', 'approver'], body: step, command: async (work, ask) => ok(runView(await issueRun(work, ask.caller, ask.params.id!, ask.ifVersion))) },
  { method: 'GET', path: 'statements', summary: 'Statements, by run or service point', roles: money, query: page({ run: filter, servicePoint: filter }),
    read: async (ask) => {
      const { stores } = ask.core.database, { run: id, servicePoint } = ask.query
      const point = servicePoint === undefined ? undefined : present(await stores.servicePoints.find(ask.caller.tenant, servicePoint), 'service point', servicePoint).id
      const { items, next } = await stores.statements.list(ask.caller.tenant, { ...(id === undefined ? {} : { run: id }), ...(point === undefined ? {} : { servicePoint: point }) }, pageOf(ask))
      return ok({ items: items.map(statementView), next })
    } },
  { method: 'GET', path: 'statements/:id', summary: 'One statement', roles: money, read: async ({ core, caller, params }) => ok(statementView(present(await core.database.stores.statements.get(caller.tenant, params.id!), 'statement', params.id!))) },
  { method: 'GET', path: 'disputes', summary: 'Disputes', roles: staff, query: page({ state: filter }),
    read: async (ask) => {
      const skip = Number(ask.query.cursor ?? 0) || 0, limit = Number(ask.query.limit ?? 100)
      const found = await ask.core.database.stores.documents.list<Dispute>(ask.caller.tenant, { kind: disputeKind, ...(ask.query.state === undefined ? {} : { where: { state: ask.query.state } }), skip, limit: limit + 1 })
      return ok({ items: found.slice(0, limit).map(disputeView), next: found.length > limit ? String(skip + limit) : null })
    } },
  { method: 'POST', path: 'disputes', summary: 'Contest a line of a statement', roles: ['admin', 'operator', 'settlement'], body: open,
    command: async (work, ask) => {
      const d = await openDispute(work, ask.caller, ask.body as Static<typeof open>)
      return created('disputes', d.id, disputeView(d))
    } },
  { method: 'GET', path: 'disputes/:id', summary: 'One dispute with its history', roles: staff, read: async ({ core, caller, params }) => ok(disputeView(present(await core.database.stores.documents.get<Dispute>(caller.tenant, disputeKind, params.id!), 'dispute', params.id!))) },
  { method: 'POST', path: 'disputes/:id/transitions', summary: 'One step of a dispute', roles: settlers, body: disputeStep,
    command: async (work, ask) => {
      const { to, version: _v, ...rest } = ask.body as Static<typeof disputeStep>
      return ok(disputeView(await moveDispute(work, ask.caller, ask.params.id!, { to: to as DisputeState, ...rest, ...(ask.ifVersion === undefined ? {} : { ifVersion: ask.ifVersion }) })))
    } },
]
