import { Type, type Static } from 'typebox'
import { present, seesProgram } from '#core/permission.js'
import { every } from '#core/port/store/every.js'
import type { Enrolment, EnrolmentState } from '#core/program/enrolment.js'
import { bulkKind, bulkRows, enrolBulk, lookBulk, summary, type BulkJob } from '#core/program/bulk-enrol.js'
import { apply, transition, withdrawConsent } from '#core/program/enrol.js'
import { hold, judgeMany, storeMany, type Goal, type ManyApplication } from '#core/program/enrol-many.js'
import { keptOf } from '#core/program/fail-safe.js'
import type { Work } from '#core/work.js'
import type { Caller } from '#core/caller.js'
import { Refusal } from '#core/error.js'
import { failSafeView } from '#core/operator/fail-safe.js'
import { bulkContent } from '#core/operator/enrolment-file.js'
import { keepers, staff } from '#core/operator/roles.js'
import { created, ok, type OperatorRoute } from '#core/operator/route.js'
import { closed, decimal, filter, kW, oneOrMany, page, reference, text, time, version } from '#core/operator/schema.js'
import { decimalText, kWOrNull, own, pageOf, wattsOrNull } from '#core/operator/wire.js'

const state = Type.Union((['applied', 'eligible', 'verified', 'active', 'suspended', 'withdrawn', 'rejected', 'expired'] as const).map((s) => Type.Literal(s)))
const body = closed({
  program: reference, servicePoint: reference, share: Type.Optional(Type.Union([decimal, Type.Null()])), nominated_kW: Type.Optional(Type.Union([kW, Type.Null()])),
  consent: Type.Optional(Type.Union([closed({ purpose: text, grantedAt: time }), Type.Null()])),
  to: Type.Optional(Type.Union((['applied', 'eligible', 'verified', 'active'] as const).map((s) => Type.Literal(s)), { description: 'how far to go at once, where every rule on the way passes; applied by default' })),
})
type Body = Static<typeof body>
const step = closed({ to: state, reason: Type.Optional(text), tested: Type.Optional(Type.Boolean()), version })
type Step = Static<typeof step>

export const enrolmentView = (e: Enrolment) => ({
  ...own(e), program: e.program, programVersion: e.programVersion, servicePoint: e.servicePoint, state: e.state, share: e.share, nominated_kW: kWOrNull(e.nominated_W), consent: e.consent, history: e.history,
})

/** CORE-202: what each device behind the point falls back to, as it was found when it was verified. */
async function withFailSafes({ stores }: Pick<Work, 'stores'>, e: Enrolment) {
  const resources = await every((page) => stores.resources.list(e.tenant, { servicePoint: e.servicePoint }, page)), kept = await keptOf(stores, e.tenant, resources.map((r) => r.id))
  return { ...enrolmentView(e), failSafes: resources.map((r) => ({ resource: r.id, ...failSafeView(kept.get(r.id)) })) }
}

export const wishOf = (b: Body): ManyApplication => ({
  program: b.program, servicePoint: b.servicePoint, share: b.share === undefined || b.share === null ? null : decimalText(b.share), nominated_W: wattsOrNull(b.nominated_kW), consent: b.consent ?? null,
  ...(b.to === undefined ? {} : { to: b.to as Goal }),
})

/** An array of applications: all, or none with every refused one named by its place. */
async function enrolAll(work: Work, caller: Caller, wishes: readonly ManyApplication[]): Promise<Enrolment[]> {
  await hold(work, caller, 'array', wishes.length)
  const outcomes = await judgeMany(work, caller, wishes)
  const faults = outcomes.flatMap((o, i) => ('reasons' in o ? o.reasons.map((r) => ({ path: `/${i}/${r.path}`, reason: r.reason })) : []))
  if (faults.length > 0) throw new Refusal('conflict', `${outcomes.filter((o) => 'reasons' in o).length} of ${wishes.length} cannot be enrolled; none was`, { faults })
  return await storeMany(work, caller, outcomes.flatMap((o) => ('enrolment' in o ? [o.enrolment] : [])))
}

export const enrolmentRoutes: readonly OperatorRoute[] = [
  { method: 'GET', path: 'enrolments', summary: 'Enrolments', roles: staff, query: page({ program: filter, servicePoint: filter, state: Type.Optional(state) }),
    read: async (ask) => {
      const { stores } = ask.core.database, { tenant } = ask.caller, { program, servicePoint } = ask.query
      const where = {
        ...(program === undefined ? {} : { program: present(await stores.programs.find(tenant, program), 'program', program).id }),
        ...(servicePoint === undefined ? {} : { servicePoint: present(await stores.servicePoints.find(tenant, servicePoint), 'service point', servicePoint).id }),
        ...(ask.query.state === undefined ? {} : { state: ask.query.state as EnrolmentState }),
      }
      const { items, next } = await stores.enrolments.list(tenant, where, pageOf(ask))
      return ok({ items: items.filter((e) => seesProgram(ask.caller, e.program)).map(enrolmentView), next })
    } },
  { method: 'POST', path: 'enrolments', summary: 'Apply: a service point asks to be in a program; an array is taken all or none', roles: keepers, body: oneOrMany(body), example: { program: 'peak', servicePoint: 'home-1', consent: { purpose: 'settlement', grantedAt: '2026-05-01T12:00:00Z' } },
    command: async (work, ask) => {
      const b = ask.body as Body | Body[]
      if (Array.isArray(b)) return { status: 201, body: { items: (await enrolAll(work, ask.caller, b.map(wishOf))).map(enrolmentView) } }
      const e = b.to === undefined || b.to === 'applied' ? await apply(work, ask.caller, wishOf(b)) : (await enrolAll(work, ask.caller, [wishOf(b)]))[0]!
      return created('enrolments', e.id, enrolmentView(e))
    } },
  { method: 'POST', path: 'enrolments/bulk', summary: 'Enrol many from CSV, NDJSON or JSON: every row has its own result. The same file (or Idempotency-Key) goes on where it was interrupted. dryRun=true says what would become of each row and stores nothing.', roles: keepers, query: closed({ dryRun: Type.Optional(Type.Boolean()) }), bodyLimit: 64 * 1024 * 1024,
    forms: ['text/csv', 'application/x-ndjson', 'application/ndjson'], example: { rows: [{ program: 'peak', servicePoint: 'home-1', to: 'active' }] },
    act: async (ask) => {
      const { body: content, type, key } = ask.body as unknown as { body: unknown; type: string; key: string | undefined }
      const { rows, hash } = await bulkContent(content, type, body, (b) => wishOf(b as Body))
      if (String(ask.query.dryRun) === 'true') {
        const results = await lookBulk(ask.core.transact, ask.caller, rows)
        return ok({ id: null, dryRun: true, ...summary(rows.length, results), items: results })
      }
      const job = await enrolBulk(ask.core.transact, ask.caller, key === undefined ? hash : `${ask.caller.user}/${key}`, hash, rows)
      if (rows.length >= 1000) await ask.core.database.refreshStatistics('enrolments')
      const results = await bulkRows(ask.core.database, ask.caller.tenant, job.id)
      return { location: `/api/v1/enrolments/bulk/${job.id}`, body: { id: job.id, ...summary(rows.length, results), items: results } }
    } },
  { method: 'GET', path: 'enrolments/bulk/:id', summary: 'A bulk enrolment and the result of every row so far', roles: staff, query: page({ state: filter }),
    read: async ({ core, caller, params, query }) => {
      const job = present(await core.database.stores.documents.get<BulkJob>(caller.tenant, bulkKind, params.id!), 'bulk enrolment', params.id!)
      const all = await bulkRows(core.database, caller.tenant, job.id), wanted = query.state === undefined ? all : all.filter((r) => r.state === query.state), skip = Number(query.cursor ?? 0) || 0, limit = Number(query.limit ?? 100)
      return ok({ id: job.id, ...summary(job.body.rows, all), items: wanted.slice(skip, skip + limit), next: wanted.length > skip + limit ? String(skip + limit) : null })
    } },
  { method: 'GET', path: 'enrolments/:id', summary: 'One enrolment with its history', roles: staff,
    read: async ({ core, caller, params }) => {
      const e = await core.database.stores.enrolments.get(caller.tenant, params.id!)
      return ok(await withFailSafes(core.database, present(e && seesProgram(caller, e.program) ? e : undefined, 'enrolment', params.id!)))
    } },
  { method: 'POST', path: 'enrolments/:id/transitions', summary: 'One step of the enrolment', roles: keepers, body: step, example: { to: 'eligible' },
    command: async (work, ask) => {
      const b = ask.body as Step
      return ok(await withFailSafes(work, await transition(work, ask.caller, ask.params.id!, {
        to: b.to as EnrolmentState, ...(b.reason === undefined ? {} : { reason: b.reason }), ...(b.tested === undefined ? {} : { tested: b.tested }), ...(ask.ifVersion === undefined ? {} : { ifVersion: ask.ifVersion }),
      })))
    } },
  { method: 'POST', path: 'enrolments/:id/withdraw-consent', summary: 'Withdraw consent: the enrolment ends, open instructions are cancelled', roles: keepers, body: closed({}),
    command: async (work, ask) => ok(enrolmentView(await withdrawConsent(work, ask.caller, ask.params.id!))) },
]
