import type { Clock } from '#core/port/clock.js'
import type { Ids } from '#core/port/ids.js'
import type { Log } from '#core/port/log.js'
import type { DocumentStore } from '#core/port/store/document.js'
import { Refusal } from '#core/error.js'
import type { CommandResult } from './command.js'
import { live } from './smart-charging/ledger.js'
import type { Station } from './station.js'
import { stampMs } from './time.js'

export type StepState = 'waiting' | 'asked' | 'installed' | 'failed'

/** New firmware for many stations (OCPP-213). Document `csms/FirmwareCampaign`. */
export interface Campaign {
  readonly id: string
  readonly requestId: number
  readonly firmware: object
  state: 'running' | 'done' | 'stopped'
  /** In this order; the first hundredth are the canaries. */
  readonly stations: Record<string, StepState>
}

const canaryShare = 0.01, mostFailures = 0.02
/** An event that begins within this time keeps a station out of it. */
const ahead_ms = 2 * 3600_000
const done = new Set(['Installed']), failed = /Failed|InvalidSignature|InvalidCertificate|RevokedCertificate/

/** Is an event on at the station, or about to be? Pure. */
export function inOrNearEvent(station: Pick<Station, 'ledger'>, nowMs: number): boolean {
  return [...station.ledger.values()].some((e) => {
    const s = e.profile.chargingSchedule[0]
    if (!live(e) || e.delivery === undefined || s?.startSchedule === undefined) return false
    const start = e.basis ? e.basis.order.start * 1000 : stampMs(s.startSchedule), end = e.basis ? e.basis.order.end * 1000 : start + (s.duration ?? 0) * 1000
    return start - ahead_ms <= nowMs && nowMs < end
  })
}

const count = (c: Campaign, ...states: StepState[]): number => Object.values(c.stations).filter((s) => states.includes(s)).length

/** Whose turn it is: the canaries first and all of them home before anyone else; nobody once too many failed. Pure. */
export function nextOf(c: Campaign): string[] | 'stop' | 'done' {
  const ids = Object.keys(c.stations), canaries = Math.max(1, Math.ceil(ids.length * canaryShare))
  if (count(c, 'failed') > 0 && count(c, 'failed') >= mostFailures * ids.length) return 'stop'
  if (count(c, 'waiting', 'asked') === 0) return 'done'
  const first = ids.slice(0, canaries)
  const open = first.some((id) => c.stations[id] !== 'installed' && c.stations[id] !== 'failed')
  return (open ? first : ids).filter((id) => c.stations[id] === 'waiting')
}

export interface Campaigns {
  start(tenant: string, firmware: object, stations: readonly string[]): Promise<Campaign>
  list(tenant: string): Promise<Campaign[]>
  /** FirmwareStatusNotification of a station. */
  progressed(station: Station, status: string, requestId: number | undefined): void
}

export function campaigns({ clock, ids, log, documents, find, command }: {
  clock: Clock; ids: Ids; log: Log; documents: DocumentStore
  find(tenant: string, id: string): Promise<Station | undefined>
  command(station: string, action: string, payload: object, tenant: string): Promise<CommandResult>
}): Campaigns {
  const running = new Map<string, { tenant: string; campaign: Campaign }>()
  const save = (tenant: string, c: Campaign): Promise<unknown> =>
    documents.insertMany([{ tenant, kind: 'csms/FirmwareCampaign', id: c.id, parent: '', sort1: c.requestId, body: c }], clock.nowMs(), { onConflict: 'replace', quiet: true })

  async function ask(tenant: string, c: Campaign, id: string): Promise<void> {
    const station = await find(tenant, id)
    if (!station?.session.online || inOrNearEvent(station, clock.nowMs())) return
    c.stations[id] = 'asked'
    const result = await command(id, 'UpdateFirmware', { requestId: c.requestId, firmware: c.firmware }, tenant)
    const accepted = result.kind === 'answered' && (result.payload.status === 'Accepted' || result.payload.status === 'AcceptedCanceled')
    // Gone or silent between the look and the word: it is asked again.
    if (result.kind === 'offline' || result.kind === 'silent') c.stations[id] = 'waiting'
    else if (!accepted) c.stations[id] = 'failed'
  }

  async function step(key: string): Promise<void> {
    const entry = running.get(key)
    if (!entry) return
    const { tenant, campaign: c } = entry, next = nextOf(c)
    if (next === 'stop' || next === 'done') {
      c.state = next === 'stop' ? 'stopped' : 'done'
      running.delete(key)
      if (next === 'stop') log.warn({ campaign: c.id, failed: count(c, 'failed'), alarm: true, clause: 'OCPP-213' }, 'a firmware campaign was stopped')
    } else await Promise.all(next.slice(0, 50).map((id) => ask(tenant, c, id)))
    await save(tenant, c)
    if (running.has(key)) clock.after(60_000, () => void step(key).catch((error: unknown) => log.error({ err: error, campaign: c.id }, 'campaign')))
  }

  return {
    async start(tenant, firmware, stations) {
      if (stations.length === 0) throw new Refusal('invalid', 'a campaign needs stations', { faults: [{ path: '/stations', reason: 'at least one' }] })
      const c: Campaign = { id: ids.uuid(), requestId: clock.now() % 2 ** 31, firmware, state: 'running', stations: Object.fromEntries(stations.map((id) => [id, 'waiting' as StepState])) }
      running.set(c.id, { tenant, campaign: c })
      await step(c.id)
      return c
    },
    list: async (tenant) => (await documents.list<Campaign>(tenant, { kind: 'csms/FirmwareCampaign', order: ['-sort1'], limit: 100 })).map((d) => d.body),
    progressed(station, status, requestId) {
      for (const [key, { tenant, campaign: c }] of running) {
        if (tenant !== station.tenant || c.requestId !== requestId || c.stations[station.identity] !== 'asked') continue
        if (done.has(status)) c.stations[station.identity] = 'installed'
        else if (failed.test(status)) c.stations[station.identity] = 'failed'
        else continue
        // A stop takes effect at once, not at the next look.
        if (nextOf(c) === 'stop') void step(key).catch((error: unknown) => log.error({ err: error, campaign: c.id }, 'campaign'))
      }
    },
  }
}
