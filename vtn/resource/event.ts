import { Refusal } from '#core/error.js'
import type { Behaviour, Command } from '#vtn/behaviour.js'
import { lifespan, negativeDurations, place } from '#vtn/lifespan.js'
import { payloadFaults } from '#vtn/payload-rules.js'
import { checkEvent } from '#vtn/profile/grid-aware-charging.js'
import { flag, idParameter } from '#vtn/query.js'
import { aimedAt, kindOf, tidy, type Content } from '#vtn/stored.js'
import type { EventRequest } from '#vtn/wire/event.js'

/** Sorts after every end that can be written down. */
export const endless = 9_007_199_254_740_991

export const event: Behaviour<EventRequest> = {
  children: ['REPORT'],
  parentOf: 'PROGRAM',
  archived: true,
  filter(query, { now, surface }) {
    const programID = idParameter(query, 'programID')
    return {
      ...(programID === undefined ? {} : { parent: programID }),
      // OA-061, OA-165: finished = now >= end, so what stays has an end of at least the next second. 3.0.1 knows no such parameter (OA-244).
      ...(surface === '3.1.1' && flag(query, 'active') ? { sort1From: now + 1 } : {}),
    }
  },
  async admit(command) {
    const negative = negativeDurations(command.content)
    if (negative.length) throw new Refusal('invalid', `a negative duration has no meaning in an event: ${negative.join(', ')} (OA-072)`, { faults: negative.map((path) => ({ path, reason: 'is negative' })) })
    judge(command)
  },
  async place({ context, caller, content, old, unknown }, stores) {
    if (old && old.parent !== content.programID) throw new Refusal('invalid', 'an event does not move to another program (OA-092)')
    const program = await stores.documents.get<Content>(caller.tenant, kindOf.PROGRAM, content.programID)
    if (!program) throw new Refusal(unknown, `no program ${content.programID} (OA-091)`)
    if (context.config.validation?.gridAwareCharging) checkEvent(program.body, content)
    const life = lifespan(content, context.clock.nowMs())
    return {
      content: tidy(content), parent: content.programID, targets: aimedAt(content),
      sort1: life?.end == null ? endless : Math.ceil(life.end / 1000), sort2: life ? Math.floor(life.start / 1000) : 0,
    }
  },
}

/** OA-087, OA-088: strange payloads and intervals without a place are refused, logged or let pass, by configuration. */
function judge({ context, caller, content, id }: Command<EventRequest>): void {
  const mode = context.config.validation?.payloads ?? 'warn'
  if (mode === 'off') return
  const faults = payloadFaults('event', (content.intervals ?? []).map((i) => i.payloads))
  if (content.intervals?.length && !place(content, context.clock.nowMs())) faults.push({ path: '/intervals', reason: 'an interval has no start and none to follow' })
  if (!faults.length) return
  if (mode === 'strict') throw new Refusal('invalid', faults.map((f) => `${f.path} ${f.reason}`).join('; '), { faults })
  context.log.warn({ clause: 'OA-087', caller: caller.subject, event: id, faults: faults.slice(0, 10) }, 'event has unusual payloads')
}
