import { Type, type Static } from 'typebox'
import { present, seesProgram } from '#core/permission.js'
import type { Program, ProgramLimits } from '#core/program/program.js'
import { changeProgram, createProgram, type ProgramTerms } from '#core/program/manage-program.js'
import { keepers, staffAndGrid } from '#core/operator/roles.js'
import { created, ok, type OperatorRoute } from '#core/operator/route.js'
import { closed, decimal, free, kW, name, page, version } from '#core/operator/schema.js'
import { decimalText, given, own, pageOf } from '#core/operator/wire.js'

const direction = Type.Union([Type.Literal('down'), Type.Literal('up'), Type.Literal('both')])
const limits = closed({
  minNotice_s: Type.Optional(Type.Integer({ minimum: 0 })), maxDuration_s: Type.Optional(Type.Integer({ minimum: 1 })),
  hours: Type.Optional(Type.Array(Type.Integer({ minimum: 0, maximum: 24 }), { minItems: 2, maxItems: 2 })),
  weekdays: Type.Optional(Type.Array(Type.Integer({ minimum: 1, maximum: 7 }), { maxItems: 7 })),
  maxEventsPerDay: Type.Optional(Type.Integer({ minimum: 0 })), maxEventsPerMonth: Type.Optional(Type.Integer({ minimum: 0 })), maxEventsPerSeason: Type.Optional(Type.Integer({ minimum: 0 })),
  minRest_s: Type.Optional(Type.Integer({ minimum: 0 })), seasonFrom: Type.Optional(Type.String({ format: 'date' })), seasonTo: Type.Optional(Type.String({ format: 'date' })),
  maxShareOfAvailability: Type.Optional(Type.Number({ minimum: 0 })), twoPersonAbove_kW: Type.Optional(kW), maxOrder_kW: Type.Optional(kW), maxOverDelivery_kW: Type.Optional(kW),
})

const terms = {
  timeZone: Type.String({ maxLength: 64 }), direction, intervalMinutes: Type.Integer(),
  baseline: closed({ method: Type.String({ maxLength: 64 }), level: Type.Union([Type.Literal('point'), Type.Literal('portfolio')]), parameters: Type.Optional(free) }),
  currency: Type.String({ pattern: '^[A-Z]{3}$' }), customerShare: decimal,
}
const more = {
  energyPrice: Type.Optional(Type.Union([decimal, Type.Null()])), capacityPrice: Type.Optional(Type.Union([decimal, Type.Null()])), limits: Type.Optional(limits),
  netting: Type.Optional(Type.Union([Type.Literal('import'), Type.Literal('net')])), paidRatioCap: Type.Optional(decimal), holidays: Type.Optional(Type.Array(Type.String({ format: 'date' }), { maxItems: 1000 })),
  floorLevel: Type.Optional(Type.Union([Type.Literal('none'), Type.Literal('portfolioEvent'), Type.Literal('portfolioInterval'), Type.Literal('meterInterval')])),
  mode: Type.Optional(Type.Union([Type.Literal('merit'), Type.Literal('proportional'), Type.Literal('rotation'), Type.Literal('optimal')])),
  rules: Type.Optional(free), state: Type.Optional(Type.Union([Type.Literal('draft'), Type.Literal('open'), Type.Literal('closed')])),
}
const body = closed({ name, ...terms, ...more })
const change = Type.Partial(closed({ name, ...terms, ...more, version }), { additionalProperties: false })
type Body = Static<typeof body>

const moneyOf = (value: string | number | null | undefined): string | null | undefined => (value === undefined ? undefined : value === null ? null : decimalText(value))

/** Defaults of core-dr.md: the zero floor at the portfolio's event (CORE-171), pay up to 1.2 of the commitment (CORE-172). */
const termsOf = (b: Body): ProgramTerms => ({
  name: b.name, timeZone: b.timeZone, direction: b.direction, intervalMinutes: b.intervalMinutes, baseline: b.baseline, netting: b.netting ?? 'import', currency: b.currency,
  energyPrice: moneyOf(b.energyPrice) ?? null, capacityPrice: moneyOf(b.capacityPrice) ?? null, customerShare: decimalText(b.customerShare), floorLevel: b.floorLevel ?? 'portfolioEvent',
  paidRatioCap: decimalText(b.paidRatioCap ?? '1.2'), mode: b.mode ?? 'merit', limits: (b.limits ?? {}) as ProgramLimits, holidays: b.holidays ?? [], rules: b.rules ?? {}, state: b.state ?? 'open',
})

export const programView = (p: Program) => {
  const { tenant: _t, id: _i, version: _v, createdAt: _c, modifiedAt: _m, ...rest } = p
  return { ...own(p), ...rest }
}

export const programExample = {
  name: 'peak', timeZone: 'America/Denver', direction: 'down', intervalMinutes: 15, baseline: { method: 'CAISO_10IN10', level: 'portfolio' }, currency: 'USD',
  energyPrice: '0.50', customerShare: '0.70', limits: { twoPersonAbove_kW: 5000 },
}

export const programRoutes: readonly OperatorRoute[] = [
  { method: 'GET', path: 'programs', summary: 'Programs', roles: staffAndGrid, query: page({}),
    read: async (ask) => {
      const { items, next } = await ask.core.database.stores.programs.list(ask.caller.tenant, {}, pageOf(ask))
      return ok({ items: items.filter((p) => seesProgram(ask.caller, p.id)).map(programView), next })
    } },
  { method: 'POST', path: 'programs', summary: 'Create a program', roles: keepers, body, example: programExample,
    command: async (work, ask) => {
      const p = await createProgram(work, ask.caller, termsOf(ask.body as Body))
      return created('programs', p.id, programView(p))
    } },
  { method: 'GET', path: 'programs/:id', summary: 'One program', roles: staffAndGrid,
    read: async ({ core, caller, params }) => {
      const found = await core.database.stores.programs.find(caller.tenant, params.id!)
      return ok(programView(present(found && seesProgram(caller, found.id) ? found : undefined, 'program', params.id!)))
    } },
  ...(['PUT', 'PATCH'] as const).map((method): OperatorRoute => ({
    method, path: 'programs/:id', summary: 'Change the rules of a program: a new program version', roles: keepers, body: change,
    command: async (work, ask) => {
      const { version: _v, ...b } = ask.body as Partial<Body> & { version?: number }
      const changed = given<ProgramTerms>({
        ...b, energyPrice: moneyOf(b.energyPrice), capacityPrice: moneyOf(b.capacityPrice), customerShare: b.customerShare === undefined ? undefined : decimalText(b.customerShare),
        paidRatioCap: b.paidRatioCap === undefined ? undefined : decimalText(b.paidRatioCap), limits: b.limits as ProgramLimits | undefined,
      } as Parameters<typeof given<ProgramTerms>>[0])
      return ok(programView(await changeProgram(work, ask.caller, ask.params.id!, changed, ask.ifVersion)))
    } })),
  { method: 'GET', path: 'programs/:id/versions', summary: 'Every version of the rules, oldest first', roles: staffAndGrid,
    read: async ({ core, caller, params }) => {
      const { stores } = core.database
      const found = present(await stores.programs.find(caller.tenant, params.id!), 'program', params.id!)
      present(seesProgram(caller, found.id) ? found : undefined, 'program', params.id!)
      const kept = await stores.documents.list<Program>(caller.tenant, { kind: 'core/ProgramVersion', parent: found.id, order: ['sort1'], limit: 1000 })
      return ok({ items: kept.map((d) => programView(d.body)), next: null })
    } },
]
