import type { Log } from '#core/port/log.js'
import type { Access } from '#vtn/access.js'
import { printed } from '#vtn/wire/literal.js'
import type { NoticeRow } from '#vtn/notice.js'
import { notificationOf, type Push } from '#vtn/notice-worker.js'
import { isOpen, type Stored } from '#vtn/stored.js'
import { topicSets, type Operation } from '#vtn/mqtt/topic.js'

export interface PushNeeds {
  readonly access: Access
  readonly prefix: string
  readonly log: Log
  readonly publicTopics: boolean
  /** venID → clientID of those that may be listening. */
  readonly audience: () => Promise<ReadonlyMap<string, string>>
  readonly publish: (topic: string, payload: string) => Promise<void>
}

const opOf: Readonly<Record<string, Operation>> = { CREATE: 'create', UPDATE: 'update', DELETE: 'delete' }

/** OA-139: every change on the collection topics of business logic, and one copy with hidden targets for each VEN that may see it. */
export function mqttPush(needs: PushNeeds): Push {
  const { access, prefix, publicTopics, log } = needs

  const say = (set: string, op: Operation, notice: object): Promise<void> => needs.publish(`${prefix}${set}/${op}`, printed(notice))
    .catch((error: unknown) => log.warn({ err: error, clause: 'OA-142' }, 'an MQTT message was not accepted; VENs learn by polling'))

  async function toCollections(row: NoticeRow, op: Operation): Promise<void> {
    const { doc } = row
    const notice = notificationOf(row, undefined)
    const single = op === 'create' ? [] : [op]
    const sets: Record<NoticeRow['objectType'], readonly string[]> = {
      PROGRAM: [topicSets.programs(), ...single.map(() => topicSets.program(doc.id))],
      EVENT: [topicSets.events(), topicSets.programEvents(doc.parent)],
      REPORT: [topicSets.reports()],
      SUBSCRIPTION: [topicSets.subscriptions()],
      VEN: [topicSets.vens(), ...single.map(() => topicSets.ven(doc.id))],
      RESOURCE: [topicSets.resources(), topicSets.venResources(doc.parent)],
    }
    // Where program topics are open to everybody (OA-034), they carry only what everybody may see.
    const openSet = (set: string): boolean => set.startsWith('programs') || set.startsWith('events/programs/')
    const hidden = publicTopics && !isOpen(doc)
    for (const set of sets[row.objectType]) if (!(hidden && openSet(set))) await say(set, op, notice)
  }

  async function toVens(row: NoticeRow, op: Operation): Promise<void> {
    if (row.objectType !== 'PROGRAM' && row.objectType !== 'EVENT') return
    const audience = await needs.audience()
    if (!audience.size) return
    const set = row.objectType === 'PROGRAM' ? topicSets.venPrograms : topicSets.venEvents
    const now = await sight(row.doc), before = row.before ? await sight(row.before) : undefined
    const same = !isOpen(row.doc) ? undefined : printed(notificationOf(row, undefined))
    for (const [venID, clientID] of audience) {
      const seen = now(clientID), saw = before?.(clientID)
      if (seen) await needs.publish(`${prefix}${set(venID)}/${op}`, same ?? printed(notificationOf(row, seen))).catch((error: unknown) => log.warn({ err: error }, 'mqtt'))
      // Who loses sight of an object is told that it is gone, in the form that was seen last.
      else if (saw && row.before) await say(set(venID), 'delete', notificationOf({ ...row, operation: 'DELETE', doc: row.before }, saw))
    }
  }

  /** The targets of an object that a client may know; undefined when the client does not see it. */
  async function sight(doc: Stored): Promise<(clientID: string) => readonly string[] | undefined> {
    if (isOpen(doc)) return () => []
    const holders = await access.holders(doc.targets)
    return (clientID) => { const held = holders.get(clientID); return held?.size ? [...held] : undefined }
  }

  return {
    async publish(rows) {
      for (const row of rows) {
        const op = opOf[row.operation]
        if (!op) continue
        await toCollections(row, op)
        await toVens(row, op)
      }
    },
  }
}
