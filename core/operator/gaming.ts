import { Type } from 'typebox'
import { gamingFlags, type GamingFlag } from '#core/baseline/gaming.js'
import { present } from '#core/permission.js'
import { every } from '#core/port/store/every.js'
import type { PerformanceBody } from '#core/verification/verify.js'
import { staff } from '#core/operator/roles.js'
import { ok, type Ask, type OperatorRoute } from '#core/operator/route.js'
import { closed, reference, time } from '#core/operator/schema.js'
import { fromOf, toOf } from '#core/operator/wire.js'

/** CORE-168, REL-082: what a human should look at, over all events of a period: caps that fire again and again show only here. */
async function suspicious(ask: Ask) {
  const { stores } = ask.core.database, { tenant } = ask.caller, program = present(await stores.programs.find(tenant, ask.query.program!), 'program', ask.query.program!)
  const points = new Map<string, { events: number; season: (readonly string[])[]; single: { dispatch: string; flags: readonly GamingFlag[] }[] }>()
  for (const d of await every((p) => stores.dispatches.list(tenant, { program: program.id, from: fromOf(ask), to: toOf(ask) }, p), 200)) {
    const body = (await every((p) => stores.verifications.list(tenant, { dispatch: d.id, kind: 'performance' }, p), 200)).at(-1)?.body as PerformanceBody | undefined
    for (const p of body?.points ?? []) {
      const known = points.get(p.servicePoint) ?? { events: 0, season: [], single: [] }
      points.set(p.servicePoint, { events: known.events + 1, season: [...known.season, p.flags ?? []], single: p.gaming && p.gaming.length > 0 ? [...known.single, { dispatch: d.id, flags: p.gaming }] : known.single })
    }
  }
  const none = { windowActual_kW: 0, windowMean10_kW: 0, paid: false, rankingDays_kW: [], otherDays_kW: [] }
  const items = [...points].map(([servicePoint, p]) => ({ servicePoint, events: p.events, season: gamingFlags({ ...none, seasonFlags: p.season }), single: p.single }))
  return ok({ items: items.filter((i) => i.season.length > 0 || i.single.length > 0).sort((a, b) => (a.servicePoint < b.servicePoint ? -1 : 1)), next: null })
}

export const gamingRoutes: readonly OperatorRoute[] = [
  { method: 'GET', path: 'gaming', summary: 'Points whose baselines a person should look at, with reasons (CORE-168); flags inform, they pay nothing less', roles: staff, query: closed({ program: reference, from: Type.Optional(time), to: Type.Optional(time) }), read: suspicious },
]
