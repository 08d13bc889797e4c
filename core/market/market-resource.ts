import { note } from '#core/audit/note.js'
import type { Caller } from '#core/caller.js'
import { Refusal, type Fault } from '#core/error.js'
import { present } from '#core/permission.js'
import type { Document } from '#core/port/store/document.js'
import { every } from '#core/port/store/every.js'
import { advance, type StateTable } from '#core/state-table.js'
import type { PerformanceBody } from '#core/verification/verify.js'
import type { Work } from '#core/work.js'

export const marketResourceKind = 'core/MarketResource'
export type MarketState = 'draft' | 'submitted' | 'accepted' | 'refused' | 'retired'

/** CORE-029: ours until submitted, then the market's word; a refused one goes back to the desk. */
export const marketStates: StateTable<MarketState, MarketState> = {
  draft: { submitted: 'submitted', retired: 'retired' },
  submitted: { accepted: 'accepted', refused: 'refused' },
  refused: { draft: 'draft', retired: 'retired' },
  accepted: { retired: 'retired' },
  retired: {},
}

/** A portfolio as a market knows it. */
export interface MarketResource {
  readonly name: string
  readonly market: string
  readonly aggregation: string
  readonly direction: 'down' | 'up'
  readonly capability_W: number
  readonly method: string
  readonly metering: { readonly intervalMinutes: number; readonly level: 'point' | 'portfolio' }
  /** A dispatch that showed what it can do. */
  readonly testEvent: string | null
  /** The market's own name for it, once accepted. */
  readonly registration: string | null
  readonly state: MarketState
  readonly history: readonly { readonly from: MarketState | null; readonly to: MarketState; readonly at: string; readonly by: string; readonly reason?: string }[]
}

export type MarketWish = Omit<MarketResource, 'state' | 'history' | 'registration'>

export async function createMarketResource(work: Work, caller: Caller, wish: MarketWish): Promise<Document<MarketResource>> {
  const { stores, clock, ids } = work
  const node = present(await stores.aggregations.find(caller.tenant, wish.aggregation), 'aggregation', wish.aggregation)
  const body: MarketResource = { ...wish, aggregation: node.id, registration: null, state: 'draft', history: [{ from: null, to: 'draft', at: new Date(clock.nowMs()).toISOString(), by: caller.user }] }
  const made = await stores.documents.insert<MarketResource>({ tenant: caller.tenant, kind: marketResourceKind, id: ids.uuid(), parent: '', key: wish.name, body }, clock.nowMs())
  await note(work, caller, [{ action: 'marketResource.create', entity: made.id, after: body }])
  return made
}

/** By id or by name. */
export async function findMarketResource(work: Pick<Work, 'stores'>, tenant: string, idOrName: string): Promise<Document<MarketResource>> {
  const { documents } = work.stores
  return present(await documents.get<MarketResource>(tenant, marketResourceKind, idOrName) ?? await documents.byKey<MarketResource>(tenant, marketResourceKind, '', idOrName), 'market resource', idOrName)
}

export async function moveMarketResource(work: Work, caller: Caller, idOrName: string, wish: { to: MarketState; reason?: string; registration?: string; testEvent?: string; ifVersion?: number }): Promise<Document<MarketResource>> {
  const { stores, clock } = work, before = await findMarketResource(work, caller.tenant, idOrName)
  if (wish.ifVersion !== undefined && wish.ifVersion !== before.version) throw new Refusal('stale', `the market resource is at version ${before.version}`)
  const state = advance(marketStates, before.body.state, wish.to, 'market resource'), testEvent = wish.testEvent ?? before.body.testEvent
  const faults = state === 'submitted' ? await submissionFaults(work, caller.tenant, { ...before.body, testEvent }) : []
  if (faults.length > 0) throw new Refusal('conflict', `the market resource cannot be submitted: ${faults.map((f) => f.reason).join('; ')}`, { faults })
  const step = { from: before.body.state, to: state, at: new Date(clock.nowMs()).toISOString(), by: caller.user, ...(wish.reason === undefined ? {} : { reason: wish.reason }) }
  const body: MarketResource = { ...before.body, state, testEvent, registration: wish.registration ?? before.body.registration, history: [...before.body.history, step] }
  const after = await stores.documents.replace<MarketResource>({ ...before, body }, clock.nowMs(), before.version)
  await note(work, caller, [{ action: `marketResource.${state}`, entity: before.id, reason: wish.reason, before: before.body, after: body }])
  return after
}

/** What a market would send back, all at once: nobody in it, more promised than is installed, a test that did not show it. */
async function submissionFaults({ stores, clock }: Work, tenant: string, m: MarketResource): Promise<Fault[]> {
  const out: Fault[] = [], node = await stores.aggregations.get(tenant, m.aggregation), now = clock.now()
  const members = (node?.members ?? []).filter((x) => x.from <= now && (x.to === null || x.to > now))
  const installed = (await stores.resources.getMany(tenant, members.map((x) => x.resource))).filter((r) => r.state === 'active').reduce((sum, r) => sum + r.rated_W, 0)
  if (members.length === 0) out.push({ path: '/aggregation', reason: 'has no members' })
  else if (m.capability_W > installed) out.push({ path: '/capability_kW', reason: `is more than the ${installed / 1000} kW installed` })
  if (m.testEvent !== null) {
    const found = (await every((page) => stores.verifications.list(tenant, { dispatch: m.testEvent!, kind: 'performance' }, page), 200)).at(-1)?.body as PerformanceBody | undefined
    const hours = found?.intervals.reduce((sum, i) => sum + (i.end - i.start) / 3600, 0) ?? 0
    if (!found || found.delivered_kWh === null || hours === 0) out.push({ path: '/testEvent', reason: 'has no verified performance' })
    else if (found.delivered_kWh / hours < m.capability_W / 1000) out.push({ path: '/testEvent', reason: `showed ${(found.delivered_kWh / hours).toFixed(3)} kW` })
  }
  return out
}
