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

/** What an earlier start had made before it was stopped: it is left as it is. */
export interface Made {
  readonly program: boolean
  readonly points: ReadonlySet<string>
  readonly resources: ReadonlySet<string>
  /** Names of service points that are enrolled. */
  readonly enrolled: ReadonlySet<string>
}

export async function madeBefore(operator: OperatorClient): Promise<Made> {
  const all = (path: string): Promise<{ id: string; name: string }[]> => operator.all(path)
  const [programs, points, resources, enrolments] = await Promise.all([all('/programs'), all('/service-points'), all('/resources'), operator.all<{ program: string; servicePoint: string }>('/enrolments')])
  const peak = programs.find((p) => p.name === 'peak')?.id, enrolled = new Set(enrolments.filter((e) => e.program === peak).map((e) => e.servicePoint))
  return {
    program: peak !== undefined, points: new Set(points.map((p) => p.name)), resources: new Set(resources.map((r) => r.name)),
    enrolled: new Set(points.filter((p) => enrolled.has(p.id)).map((p) => p.name)),
  }
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
export async function makeSites(operator: OperatorClient, plan: StoryPlan, sites: readonly Site[], made: Made): Promise<void> {
  const points = sites.filter((s) => !made.points.has(s.device.servicePoint)), resources = sites.filter((s) => !made.resources.has(s.device.name))
  if (points.length > 0) await operator.call('POST', '/service-points', points.map(({ device, feeder }) => ({ name: device.servicePoint, timeZone: plan.zone, gridPath: [feeder, 'substation-1'] })))
  if (resources.length > 0) await operator.call('POST', '/resources', resources.map(({ device, remoteId }) => ({
    name: device.name, servicePoint: device.servicePoint, kind: resourceKind[device.protocol], rated_kW: device.site.rated_W / 1000, cost: cost[device.protocol],
    bindings: [{ protocol: device.protocol, remoteId, ...(device.protocol === 'ocpp' ? { evseId: 1 } : {}) }],
  })))
}

/** Enrols sites up to active where every rule on the way passes; their history is there by then. */
export const enrolSites = (operator: OperatorClient, sites: readonly Site[]): Promise<unknown> => operator.call('POST', '/enrolments', sites.map(({ device }) => ({
  program: 'peak', servicePoint: device.servicePoint, consent: { purpose: 'demand-response', grantedAt: '2026-01-01T00:00:00Z' }, to: 'active',
  ...(device.protocol === 'openadr' ? { nominated_kW: (device.site.rated_W / 1000) * buildingShare } : {}),
})))
