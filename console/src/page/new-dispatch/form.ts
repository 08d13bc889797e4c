import { fieldsOf } from '../../format.ts'
import { serverNow } from '../../session.ts'
import type { Dispatch, Program } from '../../types.ts'
import type { Curve } from './curve.ts'

export interface Form {
  program: string
  power_kW: string
  day: string
  start: string
  end: string
  reason: string
  mode: string
  aggregation: string
  test: boolean
  /** Values for each step instead of one power throughout. */
  curve?: Curve | undefined
}

export const modes = ['merit', 'proportional', 'rotation', 'optimal'] as const

export const draftKey = 'loadstone.draft'
/** The curve that was ordered last from this browser, as a template. */
export const curveKey = 'loadstone.curve'

export const nextDay = (day: string): string => new Date(Date.parse(`${day}T12:00:00Z`) + 86_400_000).toISOString().slice(0, 10)

/** What was typed and not ordered, as long as its program still takes orders and no other one was asked for. */
export function keptForm(programs: readonly Program[], asked?: string): Form | undefined {
  const kept = JSON.parse(sessionStorage.getItem(draftKey) ?? 'null') as Form | null
  return kept && programs.some((p) => p.id === kept.program) && (asked ?? kept.program) === kept.program ? kept : undefined
}

export function formOf(kind: string, programs: readonly Program[], from: Dispatch | undefined, asked?: string): Form {
  const p = programs.find((x) => x.id === (from?.program ?? asked)) ?? programs[0]!,
    today = fieldsOf(serverNow(), p.timeZone),
    blank: Form = { program: p.id, power_kW: '', day: today.day, start: '', end: '', reason: '', mode: p.mode, aggregation: '', test: false }
  if (kind === 'last' && from) {
    const start = fieldsOf(Date.parse(from.start), p.timeZone)
    return {
      ...blank,
      power_kW: String(from.power_kW),
      day: nextDay(start.day > today.day ? start.day : today.day),
      start: start.time,
      end: fieldsOf(Date.parse(from.end), p.timeZone).time,
      reason: from.reason ?? '',
      mode: from.mode,
      aggregation: from.scope?.aggregation ?? '',
    }
  }
  if (kind === 'curve') {
    const kept = JSON.parse(localStorage.getItem(curveKey) ?? 'null') as Form | null
    if (kept && programs.some((x) => x.id === kept.program)) return { ...blank, ...kept, day: nextDay(kept.day > today.day ? kept.day : today.day) }
  }
  if (kind === 'peak')
    return {
      ...blank,
      day: today.time < '15:00' ? today.day : nextDay(today.day),
      start: '16:00',
      end: '18:00',
      power_kW: from ? String(from.power_kW) : '',
    }
  if (kind === 'hour') {
    const next = Math.ceil((serverNow() + 600_000) / 3_600_000) * 3_600_000,
      at = fieldsOf(next, p.timeZone)
    return { ...blank, day: at.day, start: at.time, end: fieldsOf(next + 3_600_000, p.timeZone).time, power_kW: from ? String(from.power_kW) : '' }
  }
  return blank
}

/** Local words go to the server as they are: it resolves them in the program's zone, and refuses an hour that does not exist or comes twice (REL-036). */
export const bodyOf = (f: Form, more: object): object => ({
  program: f.program,
  power_kW: Number(f.power_kW),
  start: `${f.day}T${f.start}`,
  end: `${f.end > f.start ? f.day : nextDay(f.day)}T${f.end}`,
  mode: f.mode,
  ...(f.reason ? { reason: f.reason } : {}),
  ...(f.aggregation ? { scope: { aggregation: f.aggregation } } : {}),
  ...(f.test ? { test: true } : {}),
  ...more,
})
