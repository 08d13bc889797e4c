import { IANAZone } from 'luxon'
import { hash, seedOf, uniform, wobble } from '#sim/noise.js'

/** What stands behind a service point. */
export interface Site {
  readonly name: string
  readonly kind: 'site' | 'home' | 'charger'
  /** Largest power of the connection. */
  readonly rated_W: number
  readonly seed: number
  readonly timeZone: string
}

/** The model is constant within such a step, so that energy is an exact sum. */
export const step_s = 300

/** A car's visit: plugged in, wants so much by its departure. Epoch seconds. */
export interface Visit {
  readonly arrival: number
  readonly departure: number
  readonly need_Wh: number
  readonly max_W: number
}

interface Local { readonly day: number; readonly weekday: number; readonly hour: number; readonly yearDay: number; readonly midnight: number }

/** Local time by the hour is asked of the zone once for each hour: offsets change on whole hours. */
function localTime(timeZone: string): (at: number) => Local {
  const zone = IANAZone.create(timeZone), offsets = new Map<number, number>()
  return (at) => {
    const key = Math.floor(at / 3600)
    let offset = offsets.get(key)
    if (offset === undefined) {
      offset = zone.offset(key * 3_600_000) * 60
      if (offsets.size > 20_000) offsets.clear()
      offsets.set(key, offset)
    }
    const local = at + offset, day = Math.floor(local / 86_400)
    return { day, weekday: (day + 4) % 7, hour: (local - day * 86_400) / 3600, yearDay: (day + 0.25) % 365.2425, midnight: day * 86_400 - offset }
  }
}
const zones = new Map<string, (at: number) => Local>()
function localOf(timeZone: string): (at: number) => Local {
  const made = zones.get(timeZone) ?? localTime(timeZone)
  zones.set(timeZone, made)
  return made
}

/** A daily curve from its corners; the last one leads to the first of the next day. */
const curve = (corners: readonly (readonly [number, number])[]) => (hour: number): number => {
  const next = corners.findIndex(([h]) => h > hour)
  const [h0, v0] = corners[next < 0 ? corners.length - 1 : next - 1] as readonly [number, number]
  const [h1, v1] = next < 0 ? [24, (corners[0] as readonly [number, number])[1]] as const : corners[next] as readonly [number, number]
  return v0 + (v1 - v0) * (hour - h0) / (h1 - h0)
}

const office = curve([[0, 0.34], [5.5, 0.36], [8.5, 0.70], [11, 0.78], [14, 0.84], [17, 0.83], [19, 0.62], [22, 0.40]])
const officeWeekend = curve([[0, 0.31], [9, 0.38], [16, 0.42], [21, 0.33]])
const home = curve([[0, 0.35], [5, 0.33], [7.5, 0.95], [9.5, 0.60], [15, 0.75], [17, 1.15], [19.5, 1.75], [22, 0.95]])
const homeWeekend = curve([[0, 0.38], [7, 0.40], [10, 1.00], [16, 1.05], [19, 1.65], [22, 0.95]])

/** Warm and cold months use more; offices mostly in summer. */
const season = (yearDay: number, summer: number, winter: number): number => {
  const phase = Math.cos((yearDay - 200) / 365.2425 * 2 * Math.PI)
  return 1 + (phase > 0 ? summer * phase : -winter * phase)
}

/** Day, hour and step vary by themselves: a building has good and bad days. */
const texture = (seed: number, local: Local, at: number, day: number, hour: number, step: number): number =>
  1 + day * wobble(seed, local.day, 1) + hour * wobble(seed, local.day, Math.floor(local.hour), 2) + step * wobble(seed, Math.floor(at / step_s), 3)

const isWeekend = (local: Local): boolean => local.weekday === 0 || local.weekday === 6

/** The visits that may touch an instant: today's and yesterday's. */
export function visitAt(site: Site, at: number): Visit | undefined {
  const today = localOf(site.timeZone)(at)
  const before = localOf(site.timeZone)(today.midnight - 3600)
  return [visitOf(site, today), visitOf(site, before)].find((v) => v !== undefined && at >= v.arrival && at < v.departure)
}

function visitOf(site: Site, local: Local): Visit | undefined {
  const seed = hash(site.seed, seedOf(site.name))
  if (isWeekend(local) && uniform(seed, local.day, 10) < 0.5) return undefined
  const rounded = (s: number): number => Math.round(s / step_s) * step_s
  const max_W = Math.min(11_000, site.rated_W)
  // cars come home in the afternoon and need most of the evening, so that a curtailed hour can be made up before they leave
  const arrival = local.midnight + rounded((13.5 + 1.5 * uniform(seed, local.day, 11)) * 3600)
  const steps = Math.round((5.2 + 1.4 * uniform(seed, local.day, 12)) * 3600 / step_s)
  return { arrival, departure: arrival + 12 * 3600, need_Wh: max_W * steps * step_s / 3600, max_W }
}

/** Watts of the site when nobody asks for anything; import positive. The same numbers make history and the simulated device's own load. */
export function loadModel(site: Site): (at: number) => number {
  const seed = hash(site.seed, seedOf(site.name)), local = localOf(site.timeZone)
  const size = 0.92 + 0.16 * uniform(seed, 20)
  if (site.kind === 'charger') {
    return (at) => {
      const start = Math.floor(at / step_s) * step_s, visit = visitAt(site, start)
      return visit && start < visit.arrival + visit.need_Wh * 3600 / visit.max_W ? visit.max_W : 0
    }
  }
  if (site.kind === 'home') {
    return (at) => {
      const start = Math.floor(at / step_s) * step_s, now = local(start)
      const shape = (isWeekend(now) ? homeWeekend : home)(now.hour)
      return Math.round(1200 * size * shape * season(now.yearDay, 0.35, 0.25) * texture(seed, now, start, 0.08, 0.12, 0.10))
    }
  }
  return (at) => {
    const start = Math.floor(at / step_s) * step_s, now = local(start)
    const shape = (isWeekend(now) ? officeWeekend : office)(now.hour)
    return Math.round(Math.min(site.rated_W, site.rated_W * 0.92 * size * shape * season(now.yearDay, 0.08, 0.02) * texture(seed, now, start, 0.03, 0.02, 0.02)))
  }
}

export interface HistoryRow {
  /** Epoch seconds. */
  readonly start: number
  readonly import_Wh: number
  readonly export_Wh: number
}

/** What the site's meter has counted in `[from, to)` (epoch seconds), interval by interval, whole Wh; the same for the same seed, always. */
export function* history(site: Site, from: number, to: number, minutes: number): Generator<HistoryRow> {
  const power = loadModel(site), length = minutes * 60
  for (let start = Math.ceil(from / length) * length; start + length <= to; start += length) {
    let imported = 0, exported = 0
    for (let at = start; at < start + length; at += step_s) {
      const wh = power(at) * Math.min(step_s, start + length - at) / 3600
      if (wh > 0) imported += wh
      else exported -= wh
    }
    yield { start, import_Wh: Math.round(imported), export_Wh: Math.round(exported) }
  }
}
