import type { Diary } from '#sim/device.js'
import type { Ledger } from '#sim/fleet.js'
import type { StoryDocument } from '#cli/story/document.js'
import type { DeliveryView } from '#cli/story/watch.js'

export type Check = StoryDocument['checks'][number]

export interface Evidence {
  readonly document: Omit<StoryDocument, 'checks' | 'elapsed_s'>
  readonly deliveries: readonly DeliveryView[]
  readonly meters: Readonly<Record<string, readonly Ledger[]>>
  readonly diaries: readonly Diary[]
  /** Service points (names) whose readings were compared, and what the server holds of them for the event, net Wh. */
  readonly server_Wh: number
  readonly points: readonly string[]
  readonly window: { readonly start: number; readonly end: number }
  readonly statements: readonly { readonly amount: string }[]
  readonly planted: Readonly<Record<string, string>>
}

const check = (name: string, ok: boolean, detail: string): Check => ({ name, ok, detail })
const cents = (amount: string): bigint => BigInt(amount.replace(/[^\d-]/g, ''))
const round = (n: number): number => Math.round(n * 1000) / 1000

/** What the story's result must satisfy; each compares the server's word with another witness, mostly the devices themselves (contract §5). */
export function checksOf(e: Evidence): Check[] {
  const { document: d } = e
  return [
    allocation(d), shares(d), meters(e), obedience(e), misbehaviour(e), energy(d), delivered(d), money(e), audit(d),
  ]
}

function allocation({ allocation: a, order }: Evidence['document']): Check {
  const parts = a.byProtocol.openadr + a.byProtocol.ieee2030_5 + a.byProtocol.ocpp
  const exact = Math.round((a.total_kW + a.shortfall_kW) * 1000) === Math.round(order.power_kW * 1000) && Math.round(parts * 1000) === Math.round(a.total_kW * 1000)
  return check('allocation exact', exact, `${a.total_kW} kW allocated + ${a.shortfall_kW} kW short = ${order.power_kW} kW ordered`)
}

function shares({ allocation: { byProtocol: b } }: Evidence['document']): Check {
  return check('all three protocols', b.openadr > 0 && b.ieee2030_5 > 0 && b.ocpp > 0, `OpenADR ${b.openadr} kW, IEEE 2030.5 ${b.ieee2030_5} kW, OCPP ${b.ocpp} kW`)
}

/** The server's readings against the devices' own meters. */
function meters(e: Evidence): Check {
  const own = e.points.reduce((sum, point) => sum + (e.meters[point] ?? []).filter((l) => l.start >= e.window.start && l.start < e.window.end).reduce((s, l) => s + l.import_Wh - l.export_Wh, 0), 0)
  const off = own === 0 ? 1 : Math.abs(e.server_Wh - own) / Math.abs(own)
  return check('readings = own meters', off <= 0.01, `server ${round(e.server_Wh / 1000)} kWh, devices' own meters ${round(own / 1000)} kWh, ${(off * 100).toFixed(3)} % apart, ${e.points.length} points`)
}

/** Every device that the server counts as having done its part says that it followed an order. */
function obedience(e: Evidence): Check {
  const followed = new Set(e.diaries.filter((x) => x.ordersFollowed > 0).map((x) => x.name))
  const done = e.deliveries.filter((x) => x.state === 'completed' || x.state === 'started')
  const unproven = done.filter((x) => !followed.has(x.resourceName))
  return check('completed = followed', done.length > 0 && unproven.length === 0, `${done.length} deliveries done, ${unproven.length} of them without the device's word${unproven.length ? ` (${unproven.slice(0, 3).map((x) => x.resourceName).join(', ')})` : ''}`)
}

const trouble: Readonly<Record<string, readonly string[]>> = { optout: ['optedOut'], reject: ['rejected'], silent: ['noComms'] }

/** Each planted troublemaker that was asked is seen as what it is, and nobody else is. */
function misbehaviour(e: Evidence): Check {
  const asked = e.deliveries.filter((x) => trouble[e.planted[x.resourceName] ?? ''])
  const unseen = asked.filter((x) => !trouble[e.planted[x.resourceName] as string]?.includes(x.state))
  const wronged = e.deliveries.filter((x) => ['optedOut', 'rejected', 'noComms'].includes(x.state) && !e.planted[x.resourceName])
  const named = asked.map((x) => `${x.resourceName} ${x.state}`).join(', ')
  return check('trouble seen', unseen.length === 0 && wronged.length === 0, `${named || 'none asked'}${wronged.length ? `; unexpected: ${wronged.slice(0, 3).map((x) => `${x.resourceName} ${x.state} ${x.reason ?? ''}`).join(', ')}` : ''}`)
}

function energy(d: Evidence['document']): Check {
  const gap = Math.abs(d.baseline.energy_kWh - d.metered_kWh - d.delivered_kWh)
  return check('delivered = baseline − metered', gap < 0.01 && d.baseline.days.length >= 5, `${round(d.baseline.energy_kWh)} − ${round(d.metered_kWh)} = ${round(d.delivered_kWh)} kWh, ${d.baseline.days.length} baseline days`)
}

function delivered(d: Evidence['document']): Check {
  return check('order met', d.performance >= 0.9 && d.performance <= 1.2, `${round(d.performance * 100)} % of the ordered energy`)
}

function money({ document: { settlement: s }, statements }: Evidence): Check {
  const paid = statements.reduce((sum, x) => sum + cents(x.amount), 0n)
  const whole = cents(s.customerPool) + cents(s.aggregator) === cents(s.revenue) && paid === cents(s.customerPool)
  return check('money adds up', whole && cents(s.revenue) > 0n, `${s.customerPool} + ${s.aggregator} = ${s.revenue} ${s.currency}; ${statements.length} statements sum to the pool`)
}

const audit = ({ audit: a }: Evidence['document']): Check => check('audit chain', a.verified && a.records > 0, `${a.records} records`)
