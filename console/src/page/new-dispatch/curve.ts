import { bodyOf, type Form, nextDay } from './form.ts'

/** Values for each step of an order, in kW in the program's direction; a step of 0 asks for nothing. */
export interface Curve {
  minutes: number
  kW: number[]
}
/** One order of a curve: neighbours of the same power are one. `start` and `end` are local words. */
export interface Step {
  start: string
  end: string
  kW: number
}

export const most = 288
const minuteOf = (time: string): number => Number(time.slice(0, 2)) * 60 + Number(time.slice(3, 5))
const two = (n: number): string => String(n).padStart(2, '0')
export const timeOf = (minute: number): string => `${two(Math.floor(minute / 60) % 24)}:${two(minute % 60)}`

/** Minutes from midnight of each step, and the end of the last, which may be cut short by the end of the order. */
export function edges(f: Pick<Form, 'start' | 'end'>, minutes: number): number[] {
  if (f.start === '' || f.end === '') return []
  const from = minuteOf(f.start),
    to = minuteOf(f.end) > from ? minuteOf(f.end) : minuteOf(f.end) + 1440,
    out: number[] = []
  for (let m = from; m < to && out.length < most; m += minutes) out.push(m)
  return [...out, to]
}

/** The same curve for another window: what is there stays, the last value is carried on. */
export function fitted(f: Pick<Form, 'start' | 'end' | 'power_kW'>, c: Curve): Curve {
  const n = Math.max(0, edges(f, c.minutes).length - 1),
    last = c.kW.at(-1) ?? (Number(f.power_kW) || 0)
  return { ...c, kW: Array.from({ length: n }, (_, i) => c.kW[i] ?? last) }
}

/** The same powers over the same hours in steps of another length. */
export const resampled = (f: Pick<Form, 'start' | 'end' | 'power_kW'>, c: Curve, minutes: number): Curve =>
  fitted(f, { minutes, kW: edges(f, minutes).slice(0, -1).map((m, _i, all) => c.kW[Math.floor((m - all[0]!) / c.minutes)] ?? 0) })

export function stepsOf(f: Form): Step[] {
  if (!f.curve) return []
  const at = edges(f, f.curve.minutes),
    word = (m: number): string => `${m < 1440 ? f.day : nextDay(f.day)}T${timeOf(m)}`,
    out: Step[] = []
  f.curve.kW.forEach((kW, i) => {
    const start = word(at[i]!),
      end = word(at[i + 1]!),
      before = out.at(-1)
    if (kW === 0) return
    if (before && before.end === start && before.kW === kW) before.end = end
    else out.push({ start, end, kW })
  })
  return out
}

/** The order of one step. Its reason says which step of how many it is, so that the list finds them together. */
export const stepBody = (f: Form, steps: readonly Step[], i: number, more: object): object => {
  const { start, end, kW } = steps[i]!
  return { ...bodyOf(f, more), start, end, power_kW: kW, reason: `${nameOf(f)} (${i + 1}/${steps.length})` }
}
export const nameOf = (f: Form): string => f.reason.trim() || `curve ${f.day} ${f.start}`
