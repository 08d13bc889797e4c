import type { Behaviour, Doc, Exchange } from '#csip-server/served.js'

const kept = 1000

/** SEP-188, functionSet 11: an even code raises an alarm, the odd one after it ends it. */
const alarms = ['over current', 'over voltage', 'under voltage', 'over frequency', 'under frequency', 'voltage imbalance', 'current imbalance', 'emergency local', 'emergency remote', 'low input power', 'phase rotation']

/**
 * One document for each alarm that stands, below its device; operators hear of it as `der.alarm` (main/alarms.ts). A device whose clock is ahead (REL-038) speaks of
 * now: else nothing it says later, with the right time, would end its alarm.
 */
async function raise(x: Exchange, doc: Doc): Promise<void> {
  const code = Number(doc.body.logEventCode), name = alarms[code >> 1]
  if (doc.body.functionSet !== 11 || doc.body.profileID !== 2 || name === undefined || !x.endDevice?.key) return
  const { documents, tenant, clock, log } = x.ctx, lfdi = x.endDevice.key, at = Math.min(Number(doc.body.createdDateTime), clock.now()), raised = code % 2 === 0, id = `${doc.parent}/${code >> 1}`
  const before = await documents.get<{ raised: boolean; at: number }>(tenant, 'csip/Alarm', id)
  if (before && before.body.at > at) return // words that come late do not bring an old state back
  await documents.insertMany([{ tenant, kind: 'csip/Alarm', id, parent: doc.parent, sort1: at, body: { lfdi, alarm: name, raised, at } }], clock.nowMs(), { onConflict: 'replace' })
  if (before?.body.raised === raised) return
  log.warn({ caller: lfdi, alarm: name, raised, clause: 'SEP-188' }, raised ? 'DER alarm' : 'DER alarm ended')
  x.ctx.alarm?.({ lfdi, alarm: name, raised, at })
}

/** SEP-187: the newest thousand stay. */
export const logEvent: Behaviour = {
  says: (value) => value,
  async stored(x, doc) {
    await raise(x, doc)
    const { documents, tenant } = x.ctx
    const count = await documents.count(tenant, { kind: doc.kind, parent: doc.parent })
    if (count <= kept) return
    const oldest = await documents.list(tenant, { kind: doc.kind, parent: doc.parent, order: ['sort1', 'sort2', 'id'], limit: count - kept })
    for (const old of oldest) await documents.remove(tenant, old.kind, old.id)
  },
}
