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

/** How many a single request makes: all of them or none. */
const together = 500

/** Runs `make` over parts of a list in order, telling how far it is. */
export async function inParts<T>(items: readonly T[], make: (some: readonly T[]) => Promise<unknown>, progress: (done: number) => void): Promise<void> {
  for (let i = 0; i < items.length; i += together) {
    await make(items.slice(i, i + together))
    progress(Math.min(items.length, i + together))
  }
}

/** Service points and their resources, by the operator's own API. */
export async function makeSites(operator: OperatorClient, plan: StoryPlan, sites: readonly Site[]): Promise<void> {
  await operator.call('POST', '/service-points', sites.map(({ device, feeder }) => ({ name: device.servicePoint, timeZone: plan.zone, gridPath: [feeder, 'substation-1'] })))
  await operator.call('POST', '/resources', sites.map(({ device, remoteId }) => ({
    name: device.name, servicePoint: device.servicePoint, kind: resourceKind[device.protocol], rated_kW: device.site.rated_W / 1000, cost: cost[device.protocol],
    bindings: [{ protocol: device.protocol, remoteId, ...(device.protocol === 'ocpp' ? { evseId: 1 } : {}) }],
  })))
}

/** Enrols sites up to active where every rule on the way passes; their history is there by then. */
export const enrolSites = (operator: OperatorClient, sites: readonly Site[]): Promise<unknown> => operator.call('POST', '/enrolments', sites.map(({ device }) => ({
  program: 'peak', servicePoint: device.servicePoint, consent: { purpose: 'demand-response', grantedAt: '2026-01-01T00:00:00Z' }, to: 'active',
  ...(device.protocol === 'openadr' ? { nominated_kW: (device.site.rated_W / 1000) * buildingShare } : {}),
})))
