import { leastSquares } from '#core/baseline/least-squares.js'

/** One training hour: local hour of the week 0..167 (Sunday midnight = 0), outdoor temperature, mean load. */
export interface TowtHour {
  readonly hourOfWeek: number
  readonly temperatureF: number
  readonly kW: number
}

/** CORE-151: time-of-week and temperature model in the CalTRACK manner, hourly, one segment. */
export interface TowtModel {
  /** Mean load level of each hour of the week at bin values 0; NaN where the training never saw that hour. */
  readonly level: readonly number[]
  readonly occupied: readonly boolean[]
  readonly edges: { readonly occupied: readonly number[]; readonly unoccupied: readonly number[] }
  readonly slopes: { readonly occupied: readonly number[]; readonly unoccupied: readonly number[] }
}

const allEdges = [30, 45, 55, 65, 75, 90], leastHours = 20

/** An hour of the week is occupied when more than 65 % of its residuals of a regression on CDD65 and HDD50 are positive. */
function occupancy(hours: readonly TowtHour[]): boolean[] {
  const cooling = hours.map((h) => Math.max(0, h.temperatureF - 65)), heating = hours.map((h) => Math.max(0, 50 - h.temperatureF))
  const { beta } = leastSquares([hours.map(() => 1), cooling, heating], hours.map((h) => h.kW))
  const above = Array.from({ length: 168 }, () => 0), seen = Array.from({ length: 168 }, () => 0)
  hours.forEach((h, i) => {
    seen[h.hourOfWeek]! += 1
    if (h.kW > beta[0]! + beta[1]! * cooling[i]! + beta[2]! * heating[i]!) above[h.hourOfWeek]! += 1
  })
  return seen.map((n, i) => n > 0 && above[i]! / n > 0.65)
}

/** Edges are dropped until each bin holds 20 hours: a thin bin joins the one above it, the last one the one below. */
export function binEdges(temperatures: readonly number[]): number[] {
  const edges = [...allEdges]
  while (edges.length > 0) {
    const counts = Array.from({ length: edges.length + 1 }, () => 0)
    for (const t of temperatures) counts[edges.filter((e) => t > e).length]! += 1
    const thin = counts.findIndex((n) => n < leastHours)
    if (thin < 0) break
    edges.splice(Math.min(thin, edges.length - 1), 1)
  }
  return edges
}

/** The part of a temperature that lies in each bin: their sum is the temperature. */
function parts(temperature: number, edges: readonly number[]): number[] {
  if (edges.length === 0) return [temperature]
  const out = [Math.min(temperature, edges[0]!)]
  for (let i = 1; i < edges.length; i++) out.push(Math.min(Math.max(temperature - edges[i - 1]!, 0), edges[i]! - edges[i - 1]!))
  out.push(Math.max(temperature - edges.at(-1)!, 0))
  return out
}

/** Least squares with one level per hour of the week: both sides are centred by hour first, which gives the same slopes as 168 dummies. */
export function fitTowt(hours: readonly TowtHour[]): TowtModel {
  const occupied = occupancy(hours)
  const of = (busy: boolean): number[] => hours.filter((h) => occupied[h.hourOfWeek] === busy).map((h) => h.temperatureF)
  const edges = { occupied: binEdges(of(true)), unoccupied: binEdges(of(false)) }
  const width = edges.occupied.length + 1, columns = width + edges.unoccupied.length + 1
  const rows = hours.map((h) => {
    const busy = occupied[h.hourOfWeek]!, values = parts(h.temperatureF, busy ? edges.occupied : edges.unoccupied)
    return Array.from({ length: columns }, (_, j) => (busy ? (j < width ? values[j]! : 0) : j >= width ? values[j - width]! : 0))
  })
  const count = Array.from({ length: 168 }, () => 0), meanLoad = Array.from({ length: 168 }, () => 0), meanRow = Array.from({ length: 168 }, () => Array.from({ length: columns }, () => 0))
  hours.forEach((h, i) => {
    count[h.hourOfWeek]! += 1
    meanLoad[h.hourOfWeek]! += h.kW
    rows[i]!.forEach((v, j) => (meanRow[h.hourOfWeek]![j]! += v))
  })
  count.forEach((n, w) => {
    meanLoad[w]! /= n
    meanRow[w] = meanRow[w]!.map((v) => v / n)
  })
  const centred = Array.from({ length: columns }, (_, j) => hours.map((h, i) => rows[i]![j]! - meanRow[h.hourOfWeek]![j]!))
  const { beta } = leastSquares(centred, hours.map((h) => h.kW - meanLoad[h.hourOfWeek]!))
  const level = count.map((n, w) => (n === 0 ? NaN : meanLoad[w]! - beta.reduce((sum, b, j) => sum + b * meanRow[w]![j]!, 0)))
  return { level, occupied, edges, slopes: { occupied: beta.slice(0, width), unoccupied: beta.slice(width) } }
}

export function predictTowt(model: TowtModel, hourOfWeek: number, temperatureF: number): number {
  const busy = model.occupied[hourOfWeek]!, slopes = busy ? model.slopes.occupied : model.slopes.unoccupied
  return parts(temperatureF, busy ? model.edges.occupied : model.edges.unoccupied).reduce((sum, v, j) => sum + v * slopes[j]!, model.level[hourOfWeek]!)
}
