import type { Timer } from '#core/port/clock.js'
import type { Device, Verdict } from '#ven-client/device.js'
import type { VtnClient } from '#ven-client/openadr/client.js'
import { place } from '#ven-client/openadr/interval.js'
import type { Event } from '#ven-client/openadr/objects.js'
import { buildReport, type Asked } from '#ven-client/openadr/report.js'
import type { ReportQueue } from '#ven-client/openadr/report-queue.js'
import { reportSchedule, type DueReport, type ReportSchedule, type ScheduleOptions } from '#ven-client/openadr/report-schedule.js'

export interface ReporterNeeds extends ScheduleOptions {
  readonly client: VtnClient
  readonly queue: ReportQueue
  readonly clientName: string
  readonly venID: string
  /** Which devices a descriptor of an event is for. */
  readonly devicesFor: (event: Event, targets: readonly string[]) => readonly Device[]
  readonly verdict: (event: Event, device: Device) => Verdict
  /** Reports of a fleet are due at the same second; each VEN waits a moment of its own within so many seconds (REL-043). */
  readonly within_s?: number
}

interface Plan { readonly event: Event; readonly schedules: readonly { schedule: ReportSchedule; asked: Asked }[]; done: number }

/** Sends each event's reports when they are due (OA-180 … OA-185). */
export function reporter(needs: ReporterNeeds) {
  const { clock, random } = needs.client
  const plans = new Map<string, Plan>()
  const lag_ms = random() * (needs.within_s ?? 5) * 1000
  let timer: Timer | undefined

  /** Report intervals are the published ones, without our own random offset: the VTN knows them by id and by its own times. */
  function plan(event: Event, done: number): Plan {
    const bare: Event = {
      ...event,
      ...(event.intervalPeriod ? { intervalPeriod: { ...event.intervalPeriod, randomizeStart: 'PT0S' } } : {}),
      ...(event.intervals ? { intervals: event.intervals.map((i) => i.intervalPeriod ? { ...i, intervalPeriod: { ...i.intervalPeriod, randomizeStart: 'PT0S' } } : i) } : {}),
    }
    const placement = place(bare, { venID: needs.venID, seen_ms: clock.nowMs() })
    return {
      event, done,
      schedules: (event.reportDescriptors ?? []).map((descriptor) => ({
        schedule: reportSchedule(placement, descriptor, needs),
        asked: { descriptor, devices: needs.devicesFor(event, descriptor.targets ?? []) },
      })).filter((s) => s.asked.devices.length > 0),
    }
  }

  function run(): void {
    timer?.cancel()
    const now = clock.nowMs()
    let next: number | undefined
    for (const one of plans.values()) {
      const due = new Map<string, { report: DueReport; asked: Asked[] }>()
      let earliest: number | undefined
      for (const { schedule, asked } of one.schedules) {
        const report = schedule.latest(now)
        if (report && report.due > one.done) {
          const key = `${report.due}:${report.intervals.map((i) => i.index).join(',')}`
          due.set(key, { report, asked: [...due.get(key)?.asked ?? [], asked] })
        }
        const coming = schedule.next(now)?.due
        if (coming !== undefined && (earliest === undefined || coming < earliest)) earliest = coming
      }
      for (const { report, asked } of due.values()) void enqueue(one, report, asked)
      one.done = now
      if (earliest !== undefined && (next === undefined || earliest < next)) next = earliest
    }
    if (next !== undefined) timer = clock.after(next - now + lag_ms, run)
  }

  const nameOf = (report: DueReport, asked: readonly Asked[]): string =>
    `${new Date(report.due).toISOString()} ${asked.map((a) => a.descriptor.payloadType).join('+')}`

  async function enqueue(one: Plan, report: DueReport, asked: readonly Asked[]): Promise<void> {
    const name = nameOf(report, asked)
    const body = buildReport(one.event, needs.clientName, name, report.intervals, asked, (d) => needs.verdict(one.event, d))
    if (!body) return
    // a report due before this process knew the event may be there already, from before a restart (OA-185: once)
    const late = clock.nowMs() - report.due > 2 * lag_ms + 60_000
    await needs.queue.add(`${one.event.id} ${name}`, body, late).catch((error: unknown) =>
      needs.client.log.error({ error: (error as Error).message, event: one.event.id }, 'report cannot be kept'))
  }

  return {
    /** The events as they are now; a changed one is planned anew, a gone one is forgotten. */
    update(events: readonly Event[]): void {
      const now = new Map(events.map((e) => [e.id, e]))
      for (const id of plans.keys()) if (!now.has(id)) plans.delete(id)
      for (const event of events) {
        const known = plans.get(event.id)
        if (known?.event.modificationDateTime === event.modificationDateTime && known) continue
        plans.set(event.id, plan(event, known?.done ?? -Infinity))
      }
      run()
    },
    /** A report at the VEN's choice, now, over the interval of now: opt-out is told this way (OA-208). */
    async tell(event: Event, payloadType: string): Promise<void> {
      const one = plans.get(event.id)
      const asked = one?.schedules.map((s) => s.asked).filter((a) => a.descriptor.payloadType === payloadType) ?? []
      if (!one || asked.length === 0) return
      const now = clock.nowMs()
      const first = event.intervals?.[0]
      const report: DueReport = { ordinal: -1, due: now, intervals: [{ index: 0, id: first?.id ?? 0, start: now, end: now + 1000, payloads: [] }] }
      await enqueue(one, report, asked)
    },
    stop(): void { timer?.cancel(); plans.clear() },
  }
}
export type Reporter = ReturnType<typeof reporter>
