import { note } from '#core/audit/note.js'
import type { Caller } from '#core/caller.js'
import { Refusal, type Fault } from '#core/error.js'
import { quietFault, type QuietHours } from '#core/notice/quiet.js'
import { present } from '#core/permission.js'
import type { Document } from '#core/port/store/document.js'
import type { Work } from '#core/work.js'

export const contactKind = 'core/Contact'

/** What a customer can be told about, in the words of templates. */
export const occasions = ['announced', 'changed', 'cancelled', 'result'] as const
export type Occasion = (typeof occasions)[number]
export type NoticeChannel = 'email' | 'sms'

/** Whom to tell about events of a service point. Personal: erased with the customer (CORE-224). */
export interface Contact {
  readonly servicePoint: string
  readonly name: string
  readonly email: string | null
  readonly sms: string | null
  readonly language: string
  readonly timeZone: string | null
  readonly quietHours: QuietHours | null
  readonly occasions: readonly Occasion[]
}

function faultsOf(c: Contact): Fault[] {
  const out: Fault[] = []
  if (c.email === null && c.sms === null) out.push({ path: '/email', reason: 'or sms is needed' })
  // no line breaks, one address: a header cannot be smuggled in (SEC-047)
  if (c.email !== null && !/^[^\s@<>,;"\\]{1,64}@[^\s@<>,;"\\]{1,255}$/.test(c.email)) out.push({ path: '/email', reason: 'is not one e-mail address' })
  if (c.sms !== null && !/^\+[1-9]\d{5,14}$/.test(c.sms)) out.push({ path: '/sms', reason: 'is not an international number like +13035550123' })
  const quiet = c.quietHours && quietFault(c.quietHours, c.timeZone ?? 'UTC')
  if (quiet) out.push({ path: '/quietHours', reason: quiet })
  return out
}

const checked = (c: Contact): Contact => {
  const faults = faultsOf(c)
  if (faults.length > 0) throw new Refusal('invalid', 'this contact cannot be kept', { faults })
  return c
}

/** `wish.servicePoint` by id or name. */
export async function createContact(work: Work, caller: Caller, wish: Contact): Promise<Document<Contact>> {
  const { stores, clock, ids } = work
  const point = present(await stores.servicePoints.find(caller.tenant, wish.servicePoint), 'service point', wish.servicePoint)
  const body = checked({ ...wish, servicePoint: point.id, timeZone: wish.timeZone ?? point.timeZone })
  const made = await stores.documents.insert<Contact>({ tenant: caller.tenant, kind: contactKind, id: ids.uuid(), parent: point.id, body }, clock.nowMs())
  await note(work, caller, [{ action: 'contact.create', entity: made.id, after: body }])
  return made
}

export async function changeContact(work: Work, caller: Caller, id: string, change: Partial<Omit<Contact, 'servicePoint'>>, ifVersion?: number): Promise<Document<Contact>> {
  const before = present(await work.stores.documents.get<Contact>(caller.tenant, contactKind, id), 'contact', id)
  if (ifVersion !== undefined && ifVersion !== before.version) throw new Refusal('stale', `the contact is at version ${before.version}`)
  const body = checked({ ...before.body, ...change })
  const after = await work.stores.documents.replace<Contact>({ ...before, body }, work.clock.nowMs(), before.version)
  await note(work, caller, [{ action: 'contact.change', entity: id, before: before.body, after: body }])
  return after
}

export async function removeContact(work: Work, caller: Caller, id: string): Promise<void> {
  const before = present(await work.stores.documents.get<Contact>(caller.tenant, contactKind, id), 'contact', id)
  await work.stores.documents.remove(caller.tenant, contactKind, id)
  await note(work, caller, [{ action: 'contact.remove', entity: id, before: before.body }])
}
