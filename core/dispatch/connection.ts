import type { Forecast } from '#core/dispatch/forecast.js'
import type { PlanResource } from '#core/dispatch/plan.js'
import type { W } from '#core/quantity/power.js'

/** A resource as its connection sees it. */
export interface Behind {
  readonly of: PlanResource
  readonly forecast: Forecast
  /** What it may be asked for; 0 for one that cannot take part but draws or feeds all the same. */
  readonly free_W: W
}

export interface ConnectionCaps {
  readonly caps_W: Readonly<Record<string, W>>
  /** Nodes to add above a resource. */
  readonly nodes: ReadonlyMap<string, readonly string[]>
}

const isEv = (kind: string): boolean => /^(ev|evse|charger|vehicle)/i.test(kind)
const isBattery = (kind: string): boolean => /batter|storage/i.test(kind)

/** Load in every piece of the window, its least and its most, of all orders already promised included. */
function span({ of, forecast }: Behind): { least: W; most: W } {
  const loads = forecast.expected.map((piece) => {
    const others = of.promised.filter((p) => p.start < piece.end && p.end > piece.start).reduce((sum, p) => sum + p.delta_W, 0)
    return (piece.expected_W ?? 0) + others
  })
  return { least: Math.min(...loads), most: Math.max(...loads) }
}

/** Load behind each connection without the resource itself, for the second look (CORE-208); only where a limit makes it matter. */
export function behindEach(behind: readonly Behind[], direction: 'down' | 'up'): Map<string, W> {
  const sums = new Map<string, W>(), out = new Map<string, W>(), limited = behind.filter((b) => b.of.importLimit_W !== null || b.of.exportLimit_W !== null)
  const own = new Map(limited.map((b) => [b.of.resource.id, direction === 'down' ? span(b).least : span(b).most]))
  for (const b of limited) sums.set(b.of.resource.servicePoint, (sums.get(b.of.resource.servicePoint) ?? 0) + own.get(b.of.resource.id)!)
  for (const b of limited) out.set(b.of.resource.id, sums.get(b.of.resource.servicePoint)! - own.get(b.of.resource.id)!)
  return out
}

/**
 * CORE-073: EV, battery, solar and heat pump behind one service point share its connection. The limit of the point becomes one more
 * node above its resources, so every mode keeps it like any cap: down, the sum of changes may take the point to its export limit;
 * up, to its import limit. A battery feeds the other loads of its point, but not a car that charges, unless `allowCrossCharge`.
 */
export function connectionCaps(behind: readonly Behind[], direction: 'down' | 'up', options: { allowCrossCharge?: boolean | undefined } = {}): ConnectionCaps {
  const caps_W: Record<string, W> = {}, nodes = new Map<string, string[]>(), points = new Map<string, Behind[]>()
  for (const b of behind) {
    const { importLimit_W, exportLimit_W, resource } = b.of
    const mixed = isBattery(resource.kind) || isEv(resource.kind)
    if (importLimit_W === null && exportLimit_W === null && !mixed) continue
    const list = points.get(resource.servicePoint)
    if (list) list.push(b)
    else points.set(resource.servicePoint, [b])
  }
  const cap = (node: string, limit: W, members: readonly Behind[]): void => {
    // a node that can never bind only costs time
    if (members.reduce((sum, m) => sum + m.free_W, 0) <= limit) return
    caps_W[node] = Math.max(0, Math.floor(limit))
    for (const m of members) nodes.set(m.of.resource.id, [...nodes.get(m.of.resource.id) ?? [], node])
  }
  for (const [point, members] of points) {
    const spans = members.map(span), { importLimit_W, exportLimit_W } = members[0]!.of
    const sum = (of: 'least' | 'most', which: (kind: string) => boolean = () => true): W => members.reduce((total, m, i) => (which(m.of.resource.kind) ? total + spans[i]![of] : total), 0)
    if (direction === 'down' && exportLimit_W !== null) cap(`connection ${point}`, sum('least') + exportLimit_W, members)
    if (direction === 'up' && importLimit_W !== null) cap(`connection ${point}`, importLimit_W - sum('most'), members)
    if (direction !== 'down' || options.allowCrossCharge === true || !members.some((m, i) => isEv(m.of.resource.kind) && spans[i]!.most > 0)) continue
    const batteries = members.filter((m) => isBattery(m.of.resource.kind)), others = sum('least', (kind) => !isEv(kind) && !isBattery(kind))
    if (batteries.length > 0) cap(`own load ${point}`, Math.max(0, others) + Math.max(0, sum('most', isBattery)), batteries)
  }
  return { caps_W, nodes }
}
