import type { Form } from './form.ts'
import { type Curve, most, timeOf } from './curve.ts'

/** What a text of values says, or which line cannot be read and why. */
export type Read = { curve: Curve; part: Partial<Form> } | { line: number; why: 'number' | 'time' | 'gap' | 'many' | 'none' | 'sign' }

const time = /^(?:(\d{4}-\d{2}-\d{2})[T ])?([01]?\d|2[0-3]):([0-5]\d)(?::00)?$/

/**
 * Lines of `16:00,500`, of `2026-07-15 16:00;500`, or of `500` alone; a first line without a number is a heading. Times are the
 * beginnings of steps in the program's zone, evenly spaced; without times the values begin where the form begins.
 */
export function readCsv(text: string, minutes: number, signed: boolean): Read {
  const rows = text
    .split(/\r?\n/)
    .map((raw, i) => ({ line: i + 1, cells: raw.split(/[;,\t]/).map((c) => c.trim().replace(/^"(.*)"$/, '$1')) }))
    .filter((r) => r.cells.some((c) => c !== ''))
  if (rows.length > 0 && rows[0]!.cells.every((c) => !/^[-+]?\d/.test(c))) rows.shift()
  if (rows.length === 0) return { line: 1, why: 'none' }
  if (rows.length > most) return { line: rows[most]!.line, why: 'many' }
  const kW: number[] = [],
    at: number[] = []
  let day: string | undefined
  for (const { line, cells } of rows) {
    const value = cells.at(-1)!
    if (!/^[-+]?\d+(\.\d+)?$/.test(value)) return { line, why: 'number' }
    if (Number(value) < 0 && !signed) return { line, why: 'sign' }
    kW.push(Number(value))
    if (cells.length === 1) continue
    const m = time.exec(cells[0]!)
    if (!m) return { line, why: 'time' }
    day ??= m[1]
    const minute = Number(m[2]) * 60 + Number(m[3]),
      last = at.at(-1)
    at.push(last !== undefined && minute < last ? minute + 1440 : minute)
  }
  if (at.length === 0) return { curve: { minutes, kW }, part: {} }
  if (at.length < kW.length) return { line: rows[at.length]!.line, why: 'time' }
  const step = at.length > 1 ? at[1]! - at[0]! : minutes,
    torn = at.findIndex((m, i) => i > 0 && m - at[i - 1]! !== step)
  if (torn > 0 || step <= 0) return { line: rows[Math.max(1, torn)]!.line, why: 'gap' }
  return { curve: { minutes: step, kW }, part: { start: timeOf(at[0]!), end: timeOf(at.at(-1)! + step), ...(day ? { day } : {}) } }
}

/** Values without times fill the window from its beginning, and end it. */
export const placed = (f: Form, { curve, part }: { curve: Curve; part: Partial<Form> }): Partial<Form> => {
  if (part.start || f.start === '') return { ...part, curve }
  const from = Number(f.start.slice(0, 2)) * 60 + Number(f.start.slice(3, 5))
  return { end: timeOf(from + curve.kW.length * curve.minutes), curve }
}

export const writeCsv = (f: Form, at: readonly number[]): string =>
  ['start,kW', ...(f.curve?.kW ?? []).map((kW, i) => `${timeOf(at[i]!)},${kW}`)].join('\r\n') + '\r\n'
