import { note } from '#core/audit/note.js'
import type { Caller } from '#core/caller.js'
import { Refusal } from '#core/error.js'
import { contactKind } from '#core/notice/contact.js'
import { noticeKind, type Notice } from '#core/notice/notice.js'
import { present } from '#core/permission.js'
import { every } from '#core/port/store/every.js'
import { pseudonym } from '#core/privacy/pseudonym.js'
import { tenantKey } from '#core/privacy/tenant-key.js'
import { transition } from '#core/program/enrol.js'
import { moveKind, type Move } from '#core/program/move.js'
import { holds } from '#core/program/screening.js'
import { kind as optOutKind } from '#core/opt-out/opt-out.js'
import { disputeKind, type Dispute } from '#core/settlement/dispute.js'
import type { Work } from '#core/work.js'

export interface Erased {
  readonly pseudonym: string
  readonly contacts: number
  readonly notices: number
  readonly readings: number
  readonly enrolmentsEnded: number
}

/**
 * CORE-224: the customer of a service point goes: names, account, contacts, what was said to him and his interval data. What was settled
 * stays, under a pseudonym: statements, postings and totals keep their amounts; the chain of the audit trail only ever held hashes, and what stands beside it about him goes.
 * Interpretation: an open dispute comes first, since its evidence is what would go.
 */
export async function eraseCustomer(work: Work, caller: Caller, servicePoint: string, reason: string): Promise<Erased> {
  const { stores, clock } = work, { tenant } = caller, { documents } = stores
  const point = present(await stores.servicePoints.find(tenant, servicePoint), 'service point', servicePoint), alias = pseudonym(await tenantKey(work, tenant), 'erased', point.id)
  const statements = await every((page) => stores.statements.list(tenant, { servicePoint: point.id }, page))
  const disputes = (await Promise.all(statements.map((s) => documents.list<Dispute>(tenant, { kind: disputeKind, parent: s.id, limit: 100 })))).flat()
  if (disputes.some((d) => d.body.state !== 'closed')) throw new Refusal('conflict', 'an open dispute of this customer must be closed first')
  await stores.ledger.hold(tenant)
  await note(work, caller, [{ action: 'servicePoint.erase', entity: point.id, reason }])
  const enrolments = await every((page) => stores.enrolments.list(tenant, { servicePoint: point.id }, page)), resources = await every((page) => stores.resources.list(tenant, { servicePoint: point.id }, page))
  let ended = 0
  for (const e of enrolments) {
    if (!holds.has(e.state)) continue
    await transition(work, caller, e.id, { to: 'withdrawn', reason: 'erasure' })
    ended++
  }
  const about = [point.id, ...(await documents.list(tenant, { kind: contactKind, parent: point.id, limit: 100_000 })).map((d) => d.id)]
  const contacts = await documents.removeAll(tenant, contactKind, point.id)
  let notices = 0
  for (const n of await documents.list<Notice>(tenant, { kind: noticeKind, where: { servicePoint: point.id }, limit: 100_000 })) {
    await documents.replace<Notice>({ ...n, body: { ...n.body, to: '', subject: '', text: '', attempts: n.body.attempts.map((a) => ({ ...a, answer: '' })) } }, clock.nowMs(), n.version)
    notices++
  }
  const moves = await documents.list<Move>(tenant, { kind: moveKind, parent: point.id, limit: 1000 })
  for (const m of moves) await documents.replace<Move>({ ...m, body: { ...m.body, accountBefore: null, accountAfter: null, reason: '' } }, clock.nowMs(), m.version)
  for (const r of resources) await stores.resources.update({ ...r, name: `erased-${pseudonym(await tenantKey(work, tenant), 'erased', r.id)}`, bindings: [], constraints: {}, state: 'retired' })
  await stores.servicePoints.update({ ...point, name: `erased-${alias}`, account: null, latitude: null, longitude: null })
  const readings = await stores.readings.erase(tenant, point.id)
  const optOuts = (await Promise.all(resources.map((r) => documents.list(tenant, { kind: optOutKind, parent: r.id, limit: 10_000 })))).flat()
  await stores.audit.forget(tenant, [...about, ...[...enrolments, ...resources, ...moves, ...disputes, ...optOuts].map((x) => x.id)])
  await note(work, caller, [{ action: 'servicePoint.erased', entity: point.id, after: { contacts, notices, readings, ended } }])
  return { pseudonym: alias, contacts, notices, readings, enrolmentsEnded: ended }
}
