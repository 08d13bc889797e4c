import { Refusal } from '#core/error.js'
import { sees, viewOf } from '#vtn/access.js'
import type { Behaviour } from '#vtn/behaviour.js'
import { payloadFaults } from '#vtn/payload-rules.js'
import { idParameter, scalar } from '#vtn/query.js'
import { reportTask } from '#vtn/report-task.js'
import { kindOf, tidy, type Content } from '#vtn/stored.js'
import type { ReportRequest } from '#vtn/wire/report.js'

/** Reports belong to the client that sends them (OA-084); what they say to the grid is read by `report-intake.ts`. */
export const report: Behaviour<ReportRequest> = {
  parentOf: 'EVENT',
  archived: true,
  // OA-063: a 3.1 report has no programID, so the program of its event is kept beside it.
  filter(query) {
    const programID = idParameter(query, 'programID'), eventID = idParameter(query, 'eventID'), clientName = scalar(query, 'clientName')
    const where = { ...(programID === undefined ? {} : { _programID: programID }), ...(clientName === undefined ? {} : { clientName }) }
    return { ...(eventID === undefined ? {} : { parent: eventID }), ...(Object.keys(where).length ? { where } : {}) }
  },
  async admit({ context, caller, content, id }) {
    const mode = context.config.validation?.payloads ?? 'warn'
    if (mode === 'off') return
    const faults = payloadFaults('report', content.resources.flatMap((r) => r.intervals.map((i) => i.payloads)))
    if (faults.length && mode === 'strict') throw new Refusal('invalid', faults.map((f) => `${f.path} ${f.reason}`).join('; '), { faults })
    if (faults.length) context.log.warn({ clause: 'OA-087', caller: caller.subject, report: id, faults: faults.slice(0, 10) }, 'report has unusual payloads')
  },
  /** The outbox row of the report's meaning commits with it (CORE-093, REL-002). */
  companions: (stores, { caller, id, context }) =>
    stores.agenda.add([{ id: context.ids.uuid(), tenant: caller.tenant, task: reportTask, subject: id, dueAt: context.clock.nowMs(), payload: null }]),
  async place({ context, caller, content: given, old, unknown }, stores) {
    // 3.0.1 bodies name the program as well (OA-238); it was compared at that door.
    const { programID: _, ...content } = given as typeof given & { programID?: string }
    if (old && old.parent !== content.eventID) throw new Refusal('invalid', 'a report does not move to another event (OA-092)')
    const event = await stores.documents.get<Content>(caller.tenant, kindOf.EVENT, content.eventID)
    // OA-108: an event that the VEN cannot see is as unknown as one that does not exist.
    if (!event || !sees(viewOf('EVENT', caller, await context.access.grants(caller.subject)), event)) throw new Refusal(unknown, `no event ${content.eventID} (OA-091)`)
    return {
      content: { ...tidy(content, ['resources']), clientID: old?.owner ?? caller.subject, _programID: event.parent },
      parent: content.eventID, owner: old?.owner ?? caller.subject,
    }
  },
}
