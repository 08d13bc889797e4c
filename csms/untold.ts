import type { UntoldIntake } from '#core/port/intake.js'
import { inTurn } from './in-turn.js'
import type { Intake } from './intake.js'
import type { Journal } from './journal.js'
import type { Station } from './station.js'
import { isoMs } from './time.js'

/** So long a station's unsent messages hold up what they are needed for (OCPP-141), ms. */
export const patience_ms = 86_400_000

/** What a station said of its queue, in its record and to the core. Resolves once both are stored. */
export type Untold = (station: Station, messagesInQueue: boolean, nowMs: number) => Promise<void>

/**
 * OCPP-141, E14: the core hears of each resource behind the station, as any of them may be what the queue is about. The station's record
 * spans what the core holds up: it is written before the core is told and cleared after, so that whenever we go down in between, the
 * station is asked again and nothing stays held up. What one station says is told in the order it said it: a "yes" that is overtaken by its
 * "no" would hold up a settlement of which nobody asks any more.
 */
export function untold({ core, intake, journal }: { core: UntoldIntake | undefined; intake: Pick<Intake, 'resourceOf'>; journal: Pick<Journal, 'write'> }): Untold {
  const turns = inTurn<Station>()

  async function tell(station: Station, messagesInQueue: boolean, nowMs: number): Promise<void> {
    const { record } = station
    if (!messagesInQueue && record.messagesInQueueSince === undefined) return
    if (messagesInQueue && record.messagesInQueueSince === undefined) {
      record.messagesInQueueSince = isoMs(nowMs)
      await journal.write([station.document()])
    }
    const until = messagesInQueue ? Math.floor((Date.parse(record.messagesInQueueSince as string) + patience_ms) / 1000) : null
    const resources = core ? await Promise.all(station.evses().map((evseId) => intake.resourceOf(station, evseId))) : []
    for (const id of new Set(resources.flatMap((r) => (r ? [r.id] : [])))) await core?.untold(station.tenant, id, until)
    if (messagesInQueue) return
    delete record.messagesInQueueSince
    await journal.write([station.document()])
  }

  return (station, messagesInQueue, nowMs) => turns(station, () => tell(station, messagesInQueue, nowMs))
}
