import { note } from '#core/audit/note.js'
import type { Caller } from '#core/caller.js'
import type { DispatchChannel, FailSafe, FailSafeAsk } from '#core/port/dispatch-channel.js'
import type { Stores } from '#core/port/store/index.js'
import type { Binding, Protocol, Resource } from '#core/program/resource.js'
import type { Work } from '#core/work.js'

export const failSafeKind = 'core/FailSafe'

/** What was found of a resource's fail-safe, and through which binding; its id is the resource's. */
export interface FailSafeRecord {
  readonly binding: Pick<Binding, 'protocol' | 'remoteId' | 'evseId'>
  readonly failSafe: FailSafe
  /** Epoch ms. */
  readonly at: number
}

/** Asks the channel that controls each device; one answer for each question, in its order. */
export type FailSafeProbe = (stores: Stores, tenant: string, asks: readonly FailSafeAsk[]) => Promise<FailSafe[]>

/** Every order ends by itself (CORE-200): all that a channel has which knows no default of its own. */
const orderEnd: FailSafe = { held: true, by: 'end of the order', at: null, limit_W: null, limit_percent: null, confirmed: false }

export const failSafeProbe = (channels: Partial<Record<Protocol, DispatchChannel>>): FailSafeProbe => async (stores, tenant, asks) => {
  const out = new Map<FailSafeAsk, FailSafe>()
  for (const protocol of new Set(asks.map((a) => a.binding.protocol))) {
    const own = asks.filter((a) => a.binding.protocol === protocol), channel = channels[protocol], answers = await channel?.failSafe?.(stores, tenant, own)
    own.forEach((ask, i) => out.set(ask, !channel ? { held: false, reason: `no ${protocol} channel is running` } : answers?.[i] ?? orderEnd))
  }
  return asks.map((ask) => out.get(ask)!)
}

/** What is known of a fleet's fail-safes: `fresh` was found out just now and is not kept yet. */
export interface FailSafes {
  readonly known: ReadonlyMap<string, FailSafeRecord>
  readonly fresh: ReadonlyMap<string, FailSafeRecord>
}

const askOf = (r: Resource): FailSafeAsk[] => {
  const binding = r.bindings.find((b) => b.control)
  return binding ? [{ resource: r.id, rated_W: r.rated_W, binding }] : []
}
const sameDevice = (a: FailSafeRecord['binding'], b: Binding): boolean => a.protocol === b.protocol && a.remoteId === b.remoteId && a.evseId === b.evseId

/**
 * CORE-202. What was verified before stands for as long as the resource is bound to the same device; everything else is looked at
 * now: resources that came after the enrolment, devices that were exchanged, and those for which nothing was found the last time.
 */
export async function failSafesOf({ stores, clock, failSafes }: Pick<Work, 'stores' | 'clock' | 'failSafes'>, tenant: string, resources: readonly Resource[]): Promise<FailSafes> {
  const asks = resources.flatMap(askOf)
  if (!failSafes || asks.length === 0) return { known: new Map(), fresh: new Map() }
  const kept = await keptOf(stores, tenant, asks.map((a) => a.resource))
  const open = asks.filter((a) => {
    const before = kept.get(a.resource)
    return !before?.failSafe.held || !sameDevice(before.binding, a.binding)
  })
  const answers = await failSafes(stores, tenant, open), at = clock.nowMs()
  const fresh = new Map(open.map((a, i): [string, FailSafeRecord] => {
    const { protocol, remoteId, evseId } = a.binding
    return [a.resource, { binding: { protocol, remoteId, ...(evseId === undefined ? {} : { evseId }) }, failSafe: answers[i]!, at }]
  }))
  return { known: new Map([...kept, ...fresh]), fresh }
}

export async function keptOf(stores: Pick<Stores, 'documents'>, tenant: string, resources: readonly string[]): Promise<Map<string, FailSafeRecord>> {
  if (resources.length === 0) return new Map()
  return new Map((await stores.documents.list<FailSafeRecord>(tenant, { kind: failSafeKind, ids: resources })).map((d) => [d.id, d.body]))
}

/** Keeps what was found out; one audit record names the enrolment or dispatch that asked, with every device that has nothing. */
export async function keepFailSafes(work: Work, caller: Caller, entity: string, fresh: FailSafes['fresh']): Promise<void> {
  if (fresh.size === 0) return
  const rows = [...fresh].map(([id, body]) => ({ tenant: caller.tenant, kind: failSafeKind, id, parent: '', body }))
  for (let at = 0; at < rows.length; at += 3000) await work.stores.documents.insertMany(rows.slice(at, at + 3000), work.clock.nowMs(), { onConflict: 'replace', quiet: true })
  const missing = rows.filter((r) => !r.body.failSafe.held)
  await note(work, caller, [{ action: 'failSafe.verify', entity, reason: `${rows.length - missing.length} held, ${missing.length} missing${missing.length === 0 ? '' : `: ${missing.slice(0, 5).map((r) => r.id).join(', ')}`}`, after: Object.fromEntries(fresh) }])
}

/** What fails of a point's devices, in words; a device that nobody may control needs no fail-safe. */
export const missingOf = (resources: readonly Resource[], { known }: FailSafes): string[] =>
  resources.flatMap((r) => {
    const found = known.get(r.id)?.failSafe
    return found && !found.held ? [`'${r.name}' has no fail-safe: ${found.reason}`] : []
  })
