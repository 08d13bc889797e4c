import type { Context } from '#vtn/context.js'
import { dueReports, tracked, type Tracked } from '#vtn/report-due.js'
import { isOpen, kindOf, type Content } from '#vtn/stored.js'
import type { EventRequest } from '#vtn/wire/event.js'
import type { ReportRequest } from '#vtn/wire/report.js'

export interface VenReports {
  readonly ven: string
  readonly venName: string
  readonly reports: readonly Tracked[]
}

/** A report may travel this long before it counts as late. */
const grace_ms = 300_000

/** OA-186: per event and VEN, which reports are due, received, late; undefined when there is no such event. */
export function reportTracking(context: Context): (eventID: string) => Promise<readonly VenReports[] | undefined> {
  const { documents, access, clock, config: { tenant } } = context
  return async (eventID) => {
    const event = await documents.get<Content>(tenant, kindOf.EVENT, eventID)
    if (!event) return undefined
    const due = dueReports(event.body as unknown as EventRequest, event.createdAt, clock.nowMs())
    const holders = isOpen(event) ? undefined : await access.holders(event.targets)
    const vens = (await documents.list<Content>(tenant, { kind: kindOf.VEN })).filter((v) => !holders || holders.get(v.owner ?? '')?.size)
    const reports = await documents.list<Content>(tenant, { kind: kindOf.REPORT, parent: eventID })
    return vens.map((ven) => ({
      ven: ven.id, venName: String(ven.key),
      reports: tracked(due, reports.filter((r) => r.owner === ven.owner).map((r) => ({ body: r.body as unknown as ReportRequest, at: r.createdAt })), clock.nowMs(), grace_ms),
    }))
  }
}
