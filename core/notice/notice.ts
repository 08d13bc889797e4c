import { DateTime } from 'luxon'
import type { Dispatch } from '#core/dispatch/dispatch.js'
import type { Handler } from '#core/dispatch/timetable.js'
import { isRefusal } from '#core/error.js'
import { contactKind, type Contact, type NoticeChannel, type Occasion } from '#core/notice/contact.js'
import { afterQuiet } from '#core/notice/quiet.js'
import { choose, fill, templateKind, type NoticeTemplate, type Word } from '#core/notice/template.js'
import type { Document, NewDocument } from '#core/port/store/document.js'
import { every } from '#core/port/store/every.js'
import type { Program } from '#core/program/program.js'
import type { PerformanceBody } from '#core/verification/verify.js'
import type { Transact, Work } from '#core/work.js'

export const noticeKind = 'core/Notice'

/** One message to one person, and what became of it: the delivery log. */
export interface Notice {
  readonly dispatch: string
  readonly occasion: Occasion
  readonly contact: string
  readonly servicePoint: string
  readonly channel: NoticeChannel
  readonly to: string
  readonly subject: string
  readonly text: string
  /** `held` until quiet hours are over; `quiet` = they would last until the event begins, so nothing was sent. */
  readonly state: 'pending' | 'held' | 'quiet' | 'sent' | 'failed'
  readonly notBefore: number
  readonly attempts: readonly { readonly at: number; readonly ms: number; readonly answer: string; readonly ok: boolean }[]
}

/** How messages leave: mail over SMTP, text messages through a provider's webhook. A channel that is not configured fails with that reason. */
export interface NoticeSenders {
  readonly email?: (message: { to: string; subject: string; text: string; id: string }) => Promise<string>
  readonly sms?: (message: { to: string; text: string; id: string }) => Promise<string>
}

const mostAttempts = 8, longest_s = 900

/** Writes a message for everybody who is registered at a point of the dispatch; the key of each makes a repeat harmless. */
export const noticeTask = (transact: Transact): Handler => (entry) => transact(async (work) => {
  const { dispatch: id, occasion, reason } = entry.payload as { dispatch: string; occasion: Occasion; reason: string }
  const { stores } = work, { tenant } = entry
  const dispatch = await stores.dispatches.get(tenant, id), program = dispatch && await stores.programs.get(tenant, dispatch.program)
  if (!dispatch || !program) return undefined
  // nobody is told of the end of an event that he was never told about
  const points = new Set((await stores.deliveries.of(tenant, id)).map((d) => d.servicePoint))
  const templates = (await stores.documents.list<NoticeTemplate>(tenant, { kind: templateKind, limit: 1000 })).map((d) => d.body)
  const delivered = occasion === 'result' ? await deliveredBy(work, tenant, id) : new Map<string, string>()
  const made: NewDocument<Notice>[] = []
  for (const contact of await registered(work, tenant, points)) {
    if (!contact.body.occasions.includes(occasion)) continue
    const zone = contact.body.timeZone ?? program.timeZone
    const point = await stores.servicePoints.get(tenant, contact.body.servicePoint)
    const values = wordsOf({ contact: contact.body, pointName: point?.name ?? '', program, dispatch, zone, reason, delivered: delivered.get(contact.body.servicePoint) ?? 'no measured amount' })
    for (const channel of ['email', 'sms'] as const) {
      const to = contact.body[channel]
      if (to === null) continue
      const template = choose(templates, { program: program.id, occasion, channel, language: contact.body.language })
      const nowMs = work.clock.nowMs(), notBefore = afterQuiet(nowMs, contact.body.quietHours, zone)
      // Interpretation: what would be read only when the event has begun is not sent; the log says so
      const late = notBefore > nowMs && occasion !== 'result' && notBefore >= dispatch.start * 1000
      made.push({
        tenant, kind: noticeKind, id: work.ids.uuid(), parent: id, key: `${occasion}/${dispatch.revision}/${contact.id}/${channel}`, sort1: nowMs,
        body: {
          dispatch: id, occasion, contact: contact.id, servicePoint: contact.body.servicePoint, channel, to, subject: fill(template.subject, values), text: fill(template.text, values),
          state: late ? 'quiet' : notBefore > nowMs ? 'held' : 'pending', notBefore, attempts: [],
        },
      })
    }
  }
  for (let i = 0; i < made.length; i += 500) {
    const stored = await stores.documents.insertMany<Notice>(made.slice(i, i + 500), work.clock.nowMs(), { onConflict: 'skip' })
    await stores.agenda.add(stored.filter((d) => d.body.state !== 'quiet').map((d) => ({ id: work.ids.uuid(), tenant, task: 'notice-send', subject: `notice/${d.id}`, dueAt: d.body.notBefore, payload: { notice: d.id } })))
  }
  return undefined
})

async function registered({ stores }: Work, tenant: string, points: ReadonlySet<string>): Promise<Document<Contact>[]> {
  const out: Document<Contact>[] = []
  for (let skip = 0; ; skip += 5000) {
    const page = await stores.documents.list<Contact>(tenant, { kind: contactKind, order: ['id'], skip, limit: 5000 })
    out.push(...page.filter((c) => points.has(c.body.servicePoint)))
    if (page.length < 5000) return out
  }
}

async function deliveredBy({ stores }: Work, tenant: string, dispatch: string): Promise<Map<string, string>> {
  const found = (await every((page) => stores.verifications.list(tenant, { dispatch, kind: 'performance' }, page), 200)).at(-1)?.body as PerformanceBody | undefined
  return new Map((found?.points ?? []).map((p) => [p.servicePoint, p.delivered_kWh === null ? 'no measured amount' : `${p.delivered_kWh.toFixed(2)} kWh`]))
}

function wordsOf(of: { contact: Contact; pointName: string; program: Program; dispatch: Dispatch; zone: string; reason: string; delivered: string }): Record<Word, string> {
  const at = (s: number): string => DateTime.fromSeconds(s, { zone: of.zone }).toFormat('yyyy-MM-dd HH:mm')
  return {
    name: of.contact.name, program: of.program.name, servicePoint: of.pointName, power: of.dispatch.delta_W < 0 ? 'use less' : 'use more', start: at(of.dispatch.start), end: at(of.dispatch.end), zone: of.zone,
    reason: of.reason, delivered: of.delivered,
  }
}

/** Sends one; every attempt is kept. A sender that refuses for good (`invalid`, `forbidden`) is not asked again. */
export const noticeSendTask = (transact: Transact, senders: NoticeSenders): Handler => async (entry) => {
  const { notice: id } = entry.payload as { notice: string }
  const now = await transact(async ({ stores, clock }) => ({ found: await stores.documents.get<Notice>(entry.tenant, noticeKind, id), at: clock.nowMs() }))
  if (!now.found || now.found.body.state === 'sent' || now.found.body.state === 'failed') return undefined
  const { body } = now.found
  let answer: string, ok = false, hopeless = false
  try {
    const send = senders[body.channel] as ((m: { to: string; subject: string; text: string; id: string }) => Promise<string>) | undefined
    answer = send ? await send({ to: body.to, subject: body.subject, text: body.text, id }) : `no way to send ${body.channel} is configured`
    ok = send !== undefined
    hopeless = send === undefined
  } catch (error) {
    answer = error instanceof Error ? error.message : 'failed'
    hopeless = isRefusal(error) && (error.kind === 'invalid' || error.kind === 'forbidden')
  }
  await transact(async (work) => {
    const d = await work.stores.documents.get<Notice>(entry.tenant, noticeKind, id)
    if (!d) return
    const attempts = [...d.body.attempts, { at: now.at, ms: work.clock.nowMs() - now.at, answer: answer.slice(0, 500), ok }], given = !ok && (hopeless || attempts.length >= mostAttempts)
    await work.stores.documents.replace<Notice>({ ...d, body: { ...d.body, attempts, state: ok ? 'sent' : given ? 'failed' : 'pending' } }, work.clock.nowMs(), d.version)
    if (!ok && !given) await sendAgain(work, entry.tenant, id, work.clock.nowMs() + Math.min(longest_s, 2 ** attempts.length) * 1000 * work.clock.rate)
  })
  return undefined
}

export const sendAgain = (work: Work, tenant: string, notice: string, dueAt: number): Promise<void> =>
  work.stores.agenda.add([{ id: work.ids.uuid(), tenant, task: 'notice-send', subject: `notice/${notice}`, dueAt: Math.ceil(dueAt), payload: { notice } }])
