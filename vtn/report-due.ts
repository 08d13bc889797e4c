import { place, plus, spanOf } from '#vtn/lifespan.js'
import type { EventRequest } from '#vtn/wire/event.js'
import type { ReportRequest } from '#vtn/wire/report.js'

/** One report that an event asks for, epoch ms. */
export interface Due {
  readonly payloadType: string
  readonly due: number
  /** Ids of the event intervals that it covers. */
  readonly intervals: readonly number[]
}

/** `late` = its time and the grace are over and nothing covers it; `expected` = still to come. */
export interface Tracked extends Due {
  readonly state: 'received' | 'late' | 'expected'
  readonly receivedAt?: number
}

/** Reports that are looked at for one descriptor; an event that repeats for ever has no end of them. */
const most = 1000

type Descriptor = NonNullable<EventRequest['reportDescriptors']>[number]
interface Slot { readonly id: number; readonly start: number; readonly end: number }

/** Intervals as they follow each other up to `until`, repeated by `duration` (OA-164) or for ever when implied (OA-169). */
function slots(event: EventRequest, readAt: number, until: number): Slot[] {
  const once = (place(event, readAt) ?? []).flatMap((p) => (p.end !== null && p.end > p.start ? [{ ...p, end: p.end }] : []))
  const [first] = once, last = once.at(-1)
  if (!first || !last) return []
  const implied = !event.intervals?.length
  const stop = event.duration === undefined ? (implied ? null : last.end) : plus(first.start, spanOf(event.duration))
  const out: Slot[] = [], pass = last.end - first.start
  for (let shift = 0; out.length < most; shift += pass) {
    for (const slot of once) {
      const start = slot.start + shift
      if ((stop !== null && start >= stop) || start > until) return out
      out.push({ id: slot.id, start, end: stop === null ? slot.end + shift : Math.min(slot.end + shift, stop) })
    }
  }
  return out
}

/** OA-182, OA-183: when reports are due and what they cover, as the VEN plans them. Frequency 0 leaves the moment to the VEN: nothing is due. */
export function dueReports(event: EventRequest, readAt: number, until: number): Due[] {
  const all = slots(event, readAt, until), size = event.intervals?.length || 1
  return (event.reportDescriptors ?? []).flatMap((d: Descriptor): Due[] => {
    const historical = d.historical ?? true
    const covers = (d.numIntervals ?? -1) < 0 ? size : d.numIntervals as number
    const step = (d.frequency ?? -1) < 0 ? covers : d.frequency as number
    const start = (d.startInterval ?? -1) < 0 ? (historical ? size - 1 : 0) : d.startInterval as number
    const repeat = (d.repeat ?? 1) < 0 ? most : d.repeat ?? 1
    if (step === 0 || covers === 0) return []
    const out: Due[] = []
    for (let n = 0, point = start; n < repeat; n += 1, point += step) {
      const here = all[point]
      if (!here) break
      const first = historical ? Math.max(0, point - covers + 1) : point
      out.push({ payloadType: d.payloadType, due: historical ? here.end : here.start, intervals: all.slice(first, historical ? point + 1 : first + covers).map((s) => s.id) })
    }
    return out
  })
}

/** OA-186: a due report is received when a report of that VEN brought its payload type for the interval that made it due. */
export function tracked(due: readonly Due[], reports: readonly { readonly body: ReportRequest; readonly at: number }[], now: number, grace_ms: number): Tracked[] {
  return due.map((one) => {
    const point = one.intervals.at(-1)
    const answers = reports.filter((r) => r.at >= one.due && r.body.resources.some((e) => e.intervals.some((i) => i.id === point && i.payloads.some((p) => p.type === one.payloadType))))
    const receivedAt = answers.length ? Math.min(...answers.map((r) => r.at)) : undefined
    return receivedAt !== undefined ? { ...one, state: 'received', receivedAt } : { ...one, state: now > one.due + grace_ms ? 'late' : 'expected' }
  })
}
