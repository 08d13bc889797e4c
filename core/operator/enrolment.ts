import { Type, type Static } from 'typebox'
import { present, seesProgram } from '#core/permission.js'
import type { Enrolment, EnrolmentState } from '#core/program/enrolment.js'
import { apply, transition, withdrawConsent } from '#core/program/enrol.js'
import { keepers, staff } from '#core/operator/roles.js'
import { created, ok, type OperatorRoute } from '#core/operator/route.js'
import { closed, decimal, filter, kW, page, reference, text, time, version } from '#core/operator/schema.js'
import { decimalText, kWOrNull, own, pageOf, wattsOrNull } from '#core/operator/wire.js'

const state = Type.Union((['applied', 'eligible', 'verified', 'active', 'suspended', 'withdrawn', 'rejected', 'expired'] as const).map((s) => Type.Literal(s)))
const body = closed({
  program: reference, servicePoint: reference, share: Type.Optional(Type.Union([decimal, Type.Null()])), nominated_kW: Type.Optional(Type.Union([kW, Type.Null()])),
  consent: Type.Optional(Type.Union([closed({ purpose: text, grantedAt: time }), Type.Null()])),
})
type Body = Static<typeof body>
const step = closed({ to: state, reason: Type.Optional(text), tested: Type.Optional(Type.Boolean()), version })
type Step = Static<typeof step>

export const enrolmentView = (e: Enrolment) => ({
  ...own(e), program: e.program, programVersion: e.programVersion, servicePoint: e.servicePoint, state: e.state, share: e.share, nominated_kW: kWOrNull(e.nominated_W), consent: e.consent, history: e.history,
})

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
  { method: 'POST', path: 'enrolments', summary: 'Apply: a service point asks to be in a program', roles: keepers, body, example: { program: 'peak', servicePoint: 'home-1', consent: { purpose: 'settlement', grantedAt: '2026-05-01T12:00:00Z' } },
    command: async (work, ask) => {
      const b = ask.body as Body
      const e = await apply(work, ask.caller, {
        program: b.program, servicePoint: b.servicePoint, share: b.share === undefined || b.share === null ? null : decimalText(b.share), nominated_W: wattsOrNull(b.nominated_kW), consent: b.consent ?? null,
      })
      return created('enrolments', e.id, enrolmentView(e))
    } },
  { method: 'GET', path: 'enrolments/:id', summary: 'One enrolment with its history', roles: staff,
    read: async ({ core, caller, params }) => {
      const e = await core.database.stores.enrolments.get(caller.tenant, params.id!)
      return ok(enrolmentView(present(e && seesProgram(caller, e.program) ? e : undefined, 'enrolment', params.id!)))
    } },
  { method: 'POST', path: 'enrolments/:id/transitions', summary: 'One step of the enrolment', roles: keepers, body: step, example: { to: 'eligible' },
    command: async (work, ask) => {
      const b = ask.body as Step
      return ok(enrolmentView(await transition(work, ask.caller, ask.params.id!, {
        to: b.to as EnrolmentState, ...(b.reason === undefined ? {} : { reason: b.reason }), ...(b.tested === undefined ? {} : { tested: b.tested }), ...(ask.ifVersion === undefined ? {} : { ifVersion: ask.ifVersion }),
      })))
    } },
  { method: 'POST', path: 'enrolments/:id/withdraw-consent', summary: 'Withdraw consent: the enrolment ends, open instructions are cancelled', roles: keepers, body: closed({}),
    command: async (work, ask) => ok(enrolmentView(await withdrawConsent(work, ask.caller, ask.params.id!))) },
]
