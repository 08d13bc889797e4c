import type { OperatorClient } from '#cli/client.js'
import { holidays, type StoryPlan } from '#cli/story/plan.js'

export type Kind = 'ven' | 'inverter' | 'charger'

/** One simulated site of the story: its service point, its resource, and what a protocol calls it. */
export interface Site {
  readonly kind: Kind
  readonly index: number
  readonly name: string
  readonly feeder: string
  /** venName, LFDI or station id. */
  readonly remoteId: string
  readonly rated_kW: number
}

export const protocolOf = { ven: 'openadr', inverter: 'ieee2030_5', charger: 'ocpp' } as const
const resourceKind = { ven: 'building', inverter: 'battery', charger: 'evse' } as const
const rated = { ven: 150, inverter: 5, charger: 22 } as const
/** Cost per kWh: batteries first, then cars, then buildings, so that buildings hold the headroom that a shortfall needs. */
const cost = { inverter: '0.02', charger: '0.05', ven: '0.08' } as const

const padded = (n: number): string => String(n).padStart(4, '0')

/** The fleet's sites; LFDIs of the inverters' certificates are handed in. */
export function sites(plan: StoryPlan, lfdis: readonly string[]): Site[] {
  const make = (kind: Kind, count: number, remoteId: (i: number) => string): Site[] => Array.from({ length: count }, (_, i) => ({
    kind, index: i, name: `${kind}-${padded(i + 1)}`, feeder: `F${(i % 4) + 1}`, remoteId: remoteId(i), rated_kW: rated[kind],
  }))
  return [
    ...make('ven', plan.vens, (i) => `demo-ven-${padded(i + 1)}`),
    ...make('inverter', plan.inverters, (i) => lfdis[i] as string),
    ...make('charger', plan.chargers, (i) => `DEMO${padded(i + 1)}`),
  ]
}

/** Runs work over items, `width` at a time, in order of start. */
export async function inParallel<T>(items: readonly T[], width: number, work: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items]
  await Promise.all(Array.from({ length: width }, async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) await work(next)
  }))
}

/** Makes the program, and service point, resource and enrolment of every site, by the operator's own API. */
export async function provision(operator: OperatorClient, plan: StoryPlan, fleet: readonly Site[], progress: (done: number) => void): Promise<void> {
  await operator.call('POST', '/programs', {
    name: 'peak', timeZone: plan.zone, direction: 'down', intervalMinutes: 15, baseline: { method: 'CAISO_10IN10', level: 'portfolio' },
    currency: 'USD', energyPrice: '0.50', customerShare: '0.70', netting: 'net', holidays, limits: {},
  })
  let done = 0
  await inParallel(fleet, 8, async (site) => {
    await provisionSite(operator, site)
    progress(++done)
  })
}

async function provisionSite(operator: OperatorClient, site: Site): Promise<void> {
  await operator.call('POST', '/service-points', { name: site.name, timeZone: 'America/Denver', gridPath: [site.feeder, 'substation-1'] })
  await operator.call('POST', '/resources', {
    name: site.name, servicePoint: site.name, kind: resourceKind[site.kind], rated_kW: site.rated_kW, cost: cost[site.kind],
    bindings: [{ protocol: protocolOf[site.kind], remoteId: site.remoteId, ...(site.kind === 'charger' ? { evseId: 1 } : {}) }],
  })
  const enrolment = await operator.call<{ id: string }>('POST', '/enrolments', {
    program: 'peak', servicePoint: site.name, consent: { purpose: 'demand-response', grantedAt: '2026-01-01T00:00:00Z' },
  })
  for (const to of ['eligible', 'verified', 'active']) await operator.call('POST', `/enrolments/${enrolment.id}/transitions`, { to })
}
