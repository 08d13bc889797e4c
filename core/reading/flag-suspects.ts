import type { Stores } from '#core/port/store/index.js'
import type { ReadingInput } from '#core/reading/reading.js'
import { validate, type Finding } from '#core/reading/vee.js'

export interface Flag {
  readonly servicePoint: string
  readonly channel: string
  readonly start: string
  readonly finding: Finding
}

/**
 * CORE-117 at the intake: what looks wrong is kept as SUSPECT, with the finding as its lineage, so it neither ranks a day nor pays until somebody
 * edits it. Changes `rows` in place; only measured values are judged. A spike is judged within its UTC day; a jump of the whole set is not one.
 */
export async function flagSuspects(stores: Stores, tenant: string, rows: ReadingInput[]): Promise<Flag[]> {
  const points = new Map((await stores.servicePoints.getMany(tenant, [...new Set(rows.map((r) => r.servicePoint))])).map((p) => [p.id, p])), groups = new Map<string, number[]>(), flags: Flag[] = []
  rows.forEach((r, i) => {
    const key = `${r.servicePoint} ${r.channel} ${Math.floor(r.start / 86_400)}`, group = groups.get(key)
    if (group) group.push(i)
    else groups.set(key, [i])
  })
  for (const places of groups.values()) {
    const sorted = places.toSorted((a, b) => rows[a]!.start - rows[b]!.start), first = rows[sorted[0]!]!, point = points.get(first.servicePoint)
    const limit = first.channel === 'import' ? point?.importLimit_W : point?.exportLimit_W
    for (const { index, finding } of validate(sorted.map((i) => ({ start: rows[i]!.start, seconds: rows[i]!.minutes * 60, Wh: rows[i]!.Wh })), { intervalSeconds: first.minutes * 60, ...(limit ? { rating_W: limit } : {}) })) {
      const at = sorted[index]!, r = rows[at]!
      flags.push({ servicePoint: r.servicePoint, channel: r.channel, start: new Date(r.start * 1000).toISOString(), finding })
      if (finding === 'GAP') continue
      if (r.quality === 'RAW' || r.quality === 'VALID') rows[at] = { ...r, quality: 'SUSPECT', lineage: `vee:${finding}` }
    }
  }
  return flags
}
