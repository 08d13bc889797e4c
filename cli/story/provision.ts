import type { OperatorClient } from '#cli/client.js'
import { holidays, type StoryPlan } from '#cli/story/plan.js'
import type { PlannedDevice } from '#sim/fleet.js'

/** A simulated device and what its protocol calls it: venName, LFDI or station id. */
export interface Site {
  readonly device: PlannedDevice
  readonly feeder: string
  readonly remoteId: string
}

type Protocol = PlannedDevice['protocol']

const resourceKind: Record<Protocol, string> = { openadr: 'building', ieee2030_5: 'battery', ocpp: 'evse' }
/** Cost per kWh: batteries first, then cars, then buildings, which hold the headroom that a shortfall needs. */
const cost: Record<Protocol, string> = { ieee2030_5: '0.02', ocpp: '0.05', openadr: '0.08' }
/** What a building says it can leave away, of its connection. */
const buildingShare = 0.4

/** Runs work over items, `width` at a time, in order of start. */
export async function inParallel<T>(items: readonly T[], width: number, work: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items]
  await Promise.all(Array.from({ length: width }, async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) await work(next)
  }))
}

export async function makeProgram(operator: OperatorClient, plan: StoryPlan): Promise<void> {
  await operator.call('POST', '/programs', {
    name: 'peak', timeZone: plan.zone, direction: 'down', intervalMinutes: 15, baseline: { method: 'CAISO_10IN10', level: 'portfolio' },
    currency: 'USD', energyPrice: '0.50', customerShare: '0.70', netting: 'net', holidays, limits: {},
  })
}

/** A service point and its resource, by the operator's own API. */
export async function makeSite(operator: OperatorClient, plan: StoryPlan, site: Site): Promise<void> {
  const { device } = site, name = device.servicePoint
  await operator.call('POST', '/service-points', { name, timeZone: plan.zone, gridPath: [site.feeder, 'substation-1'] })
  await operator.call('POST', '/resources', {
    name: device.name, servicePoint: name, kind: resourceKind[device.protocol], rated_kW: device.site.rated_W / 1000, cost: cost[device.protocol],
    bindings: [{ protocol: device.protocol, remoteId: site.remoteId, ...(device.protocol === 'ocpp' ? { evseId: 1 } : {}) }],
  })
}

/** Enrols a site, step by step as an operator would; its history is there by then. */
export async function enrolSite(operator: OperatorClient, site: Site): Promise<void> {
  const enrolment = await operator.call<{ id: string }>('POST', '/enrolments', {
    program: 'peak', servicePoint: site.device.servicePoint, consent: { purpose: 'demand-response', grantedAt: '2026-01-01T00:00:00Z' },
    ...(site.device.protocol === 'openadr' ? { nominated_kW: (site.device.site.rated_W / 1000) * buildingShare } : {}),
  })
  for (const to of ['eligible', 'verified', 'active']) await operator.call('POST', `/enrolments/${enrolment.id}/transitions`, { to })
}
