import { Type, type Static } from 'typebox'
import { present, seesProgram } from '#core/permission.js'
import { commentDispute, disputeKind, moveDispute, openDispute, type Dispute } from '#core/settlement/dispute.js'
import type { DisputeState } from '#core/settlement/dispute-states.js'
import { approveRun, calculateRun, issueRun } from '#core/settlement/close.js'
import type { SettlementRun, Statement } from '#core/settlement/settlement-run.js'
import type { Document } from '#core/port/store/document.js'
import { approvers, money, settlers, staff } from '#core/operator/roles.js'
import { Refusal } from '#core/error.js'
import type { Channel } from '#core/reading/reading.js'
import { postingKind, trialBalance, type Posting } from '#core/settlement/ledger.js'
import { readingLineage, statementLineage } from '#core/settlement/lineage.js'
import { every } from '#core/port/store/every.js'
import { Exact } from '#core/quantity/money.js'
import type { RunInput, RunResult } from '#core/settlement/run.js'
import { statementPage, type StatementFacts } from '#core/settlement/statement-page.js'
import { documents } from '#core/operator/documents.js'
import { created, ok, type Ask, type OperatorRoute } from '#core/operator/route.js'
import { closed, filter, page, reference, text, time, version } from '#core/operator/schema.js'
import { instantOf, own, pageOf, rfc3339, stamp } from '#core/operator/wire.js'

const run = closed({ program: reference, from: time, to: time, reason: Type.Optional(text) })
const step = closed({ reason: Type.Optional(text), version })
const open = closed({ statement: reference, line: Type.Optional(Type.String({ maxLength: 200 })), reason: text, evidence: Type.Optional(Type.Array(text, { maxItems: 100 })), party: Type.Optional(text) })
const comment = closed({ text: Type.String({ minLength: 1, maxLength: 2000 }), evidence: Type.Optional(Type.Array(text, { maxItems: 100 })) })
const disputeStep = closed({
  to: Type.Union((['underReview', 'upheld', 'partlyUpheld', 'rejected', 'closed'] as const).map((s) => Type.Literal(s))), reason: Type.Optional(text), adjustment: Type.Optional(Type.String({ pattern: '^-?\\d+(\\.\\d+)?$' })), version,
})

const runView = (r: SettlementRun) => ({
  ...own(r), program: r.program, programVersion: r.programVersion, from: rfc3339(r.from), to: rfc3339(r.to), runNumber: r.runNumber, supersedes: r.supersedes, state: r.state, calculatedBy: r.calculatedBy,
  approvedBy: r.approvedBy, currency: r.currency, revenue: r.revenue, customerPool: r.customerPool, aggregator: r.aggregator, inputHash: r.inputHash, resultHash: r.resultHash,
})
const statementView = (s: Statement) => ({ ...own(s), run: s.run, servicePoint: s.servicePoint, delivered_kWh: s.delivered_Wh / 1000, amount: s.amount, delta: s.delta, currency: s.currency, body: s.body })
const disputeView = (d: Document<Dispute>) => ({ id: d.id, version: d.version, createdAt: stamp(d.createdAt), modifiedAt: stamp(d.modifiedAt), ...d.body })

const programId = async (ask: Ask): Promise<string | undefined> => (ask.query.program === undefined ? undefined : present(await ask.core.database.stores.programs.find(ask.caller.tenant, ask.query.program), 'program', ask.query.program).id)

/** REL-084: a statement shows what is contested of it. */
const disputesOf = async ({ core, caller }: Ask, statement: string) => (await core.database.stores.documents.list<Dispute>(caller.tenant, { kind: disputeKind, parent: statement, limit: 100 })).map((d) => ({ id: d.id, line: d.body.line, state: d.body.state }))

/** Names for ids, and the kW of each event of the statement. */
async function statementFacts(ask: Ask, s: Statement): Promise<StatementFacts> {
  const { core: { database: { stores } }, caller: { tenant } } = ask
  const run = await stores.settlementRuns.get(tenant, s.run), program = run && await stores.programs.get(tenant, run.program), point = await stores.servicePoints.get(tenant, s.servicePoint)
  const charts = ((run?.input as RunInput | undefined)?.events ?? []).flatMap((e) => {
    const own = e.points.find((p) => p.id === s.servicePoint)
    return own ? [{ dispatch: e.dispatch, intervals: e.intervals.map((i, k) => ({ ...i, delivered_kW: own.delivered_kW[k] ?? 0 })) }] : []
  })
  const disputes = await disputesOf(ask, s.id)
  return { program: program?.name ?? s.run, servicePoint: point?.name ?? s.servicePoint, zone: point?.timeZone ?? program?.timeZone ?? 'UTC', aggregator: 'aggregator', charts, disputes }
}

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
  { method: 'GET', path: 'statements/:id', summary: 'One statement; with Accept: text/html a page to print, with a chart', roles: money,
    read: async (ask) => {
      const s = present(await ask.core.database.stores.statements.get(ask.caller.tenant, ask.params.id!), 'statement', ask.params.id!)
      return /text\/html/.test(ask.accept) ? { type: 'text/html; charset=utf-8', body: statementPage(s, await statementFacts(ask, s)) } : ok({ ...statementView(s), disputes: await disputesOf(ask, s.id) })
    } },
  { method: 'GET', path: 'ledger', summary: 'Postings, oldest first (CORE-190)', roles: money, query: page({ program: filter }),
    read: async (ask) => documents<Posting>(ask, postingKind, (d) => ({ ...d.body, id: d.id, posting: d.body.id, createdAt: stamp(d.createdAt), program: d.parent, from: rfc3339(d.sort1) }), await programId(ask)) },
  { method: 'GET', path: 'ledger/trial-balance', summary: 'Sum of every account; the whole is zero', roles: money, query: page({ program: filter, currency: filter }),
    read: async (ask) => {
      const program = await programId(ask), postings = await ask.core.database.stores.documents.list<Posting>(ask.caller.tenant, { kind: postingKind, ...(program === undefined ? {} : { parent: program }), limit: 1_000_000 })
      const by = new Map<string, Posting[]>()
      for (const p of postings) by.set(p.body.currency, [...(by.get(p.body.currency) ?? []), p.body])
      return ok({ items: [...by].filter(([c]) => ask.query.currency === undefined || c === ask.query.currency).map(([currency, own]) => ({ currency, ...trialBalance(currency, own) })), next: null })
    } },
  { method: 'GET', path: 'revenue', summary: 'Income per service point by program and component, from issued runs; no interval twice (CORE-198, CORE-189)', roles: money, query: page({ program: filter, servicePoint: filter }),
    read: async (ask) => {
      const { stores } = ask.core.database, { tenant } = ask.caller, program = await programId(ask), sums = new Map<string, { servicePoint: string; program: string; component: string; currency: string; amount: string }>()
      const point = ask.query.servicePoint === undefined ? undefined : present(await stores.servicePoints.find(tenant, ask.query.servicePoint), 'service point', ask.query.servicePoint).id
      // superseded runs gave way to issued ones: each period counts once
      for (const r of await every((p) => stores.settlementRuns.list(tenant, { state: 'issued', ...(program === undefined ? {} : { program }) }, p), 100)) {
        const result = r.result as RunResult, add = (component: string, payments: Readonly<Record<string, string>>): void => {
          for (const [id, amount] of Object.entries(payments)) {
            if (point !== undefined && id !== point) continue
            const key = `${id} ${r.program} ${component} ${r.currency}`, known = sums.get(key)
            sums.set(key, { servicePoint: id, program: r.program, component, currency: r.currency, amount: known ? new Exact(known.amount).plus(amount).toFixed((amount.split('.')[1] ?? '').length) : amount })
          }
        }
        for (const e of result.events) add('energy', e.payments)
        if (result.period) add(result.period.lines.map((l) => l.kind).join('+') || 'period', result.period.payments)
      }
      const rows = [...sums.values()], skip = Number(ask.query.cursor ?? 0) || 0, limit = Number(ask.query.limit ?? 100)
      return ok({ items: rows.slice(skip, skip + limit), next: rows.length > skip + limit ? String(skip + limit) : null })
    } },
  { method: 'GET', path: 'lineage', summary: 'From a statement (and line) to everything behind it, or from a reading to everything made of it (CORE-236)', roles: money,
    query: closed({ statement: filter, line: filter, reading: Type.Optional(Type.String({ maxLength: 300, description: 'servicePoint/start/channel, or use the three fields' })), servicePoint: filter, start: Type.Optional(time), channel: Type.Optional(Type.Union([Type.Literal('import'), Type.Literal('export')])) }),
    read: async (ask) => {
      const { statement, line, reading } = ask.query, { stores } = ask.core.database
      if (statement !== undefined) return ok(await statementLineage(stores, ask.caller, statement, line))
      const [point, start, channel] = reading === undefined ? [ask.query.servicePoint, ask.query.start, ask.query.channel] : reading.split('/')
      if (point === undefined || start === undefined) throw new Refusal('invalid', 'lineage needs statement, or reading=servicePoint/start/channel', { faults: [{ path: '/statement', reason: 'or reading is needed' }] })
      return ok(await readingLineage(stores, ask.caller, point, instantOf(start, 'utc', '/start'), (channel ?? 'import') as Channel))
    } },
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
  { method: 'POST', path: 'disputes/:id/comments', summary: 'Say something or attach evidence; changes no state and no money (UX-065)', roles: ['admin', 'operator', 'settlement', 'approver'], body: comment, example: { text: 'the technician was there at 17:10', evidence: ['photo 2026-07-15-1'] },
    command: async (work, ask) => ok(disputeView(await commentDispute(work, ask.caller, ask.params.id!, ask.body as Static<typeof comment>))) },
  { method: 'POST', path: 'disputes/:id/transitions', summary: 'One step of a dispute', roles: settlers, body: disputeStep,
    command: async (work, ask) => {
      const { to, version: _v, ...rest } = ask.body as Static<typeof disputeStep>
      return ok(disputeView(await moveDispute(work, ask.caller, ask.params.id!, { to: to as DisputeState, ...rest, ...(ask.ifVersion === undefined ? {} : { ifVersion: ask.ifVersion }) })))
    } },
]
