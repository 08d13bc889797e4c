import { Type, type Static } from 'typebox'
import { note } from '#core/audit/note.js'
import { Refusal } from '#core/error.js'
import { changeContact, contactKind, createContact, occasions, removeContact, type Contact } from '#core/notice/contact.js'
import { noticeKind, sendAgain, type Notice } from '#core/notice/notice.js'
import { standardTemplate, templateFault, templateKind, type NoticeTemplate } from '#core/notice/template.js'
import { present } from '#core/permission.js'
import type { Document } from '#core/port/store/document.js'
import { documents } from '#core/operator/documents.js'
import { keepers, staff } from '#core/operator/roles.js'
import { created, ok, type OperatorRoute } from '#core/operator/route.js'
import { closed, filter, name, page, reference, text, version } from '#core/operator/schema.js'
import { given, stamp } from '#core/operator/wire.js'

const occasion = Type.Union(occasions.map((o) => Type.Literal(o))), channel = Type.Union([Type.Literal('email'), Type.Literal('sms')])
const nullableText = Type.Optional(Type.Union([Type.String({ maxLength: 320 }), Type.Null()]))
const quietHours = Type.Optional(Type.Union([closed({ from: Type.String({ maxLength: 5 }), to: Type.String({ maxLength: 5 }) }), Type.Null()]))
const own = { name: Type.Optional(name), email: nullableText, sms: nullableText, language: Type.Optional(Type.String({ maxLength: 20 })), timeZone: nullableText, quietHours, occasions: Type.Optional(Type.Array(occasion, { maxItems: 10 })) }
const contact = closed({ servicePoint: reference, ...own })
const contactChange = closed({ ...own, version })
const template = closed({ program: Type.Optional(Type.Union([reference, Type.Null()])), occasion, channel, language: Type.Optional(Type.String({ maxLength: 20 })), subject: Type.Optional(Type.String({ maxLength: 200 })), text })

const view = <B extends object>(d: Document<B>) => ({ id: d.id, version: d.version, createdAt: stamp(d.createdAt), modifiedAt: stamp(d.modifiedAt), ...d.body })
const noticeView = (d: Document<Notice>) => ({ ...view(d), notBefore: stamp(d.body.notBefore), attempts: d.body.attempts.map((a) => ({ ...a, at: stamp(a.at) })) })

/** Who is told of events, in which words, and what was said: contacts, templates, delivery log. */
export const noticeRoutes: readonly OperatorRoute[] = [
  { method: 'GET', path: 'contacts', summary: 'Whom to tell of events, all or of a service point', roles: keepers, query: page({ servicePoint: filter }),
    read: async (ask) => {
      const { servicePoint } = ask.query
      const point = servicePoint === undefined ? undefined : present(await ask.core.database.stores.servicePoints.find(ask.caller.tenant, servicePoint), 'service point', servicePoint).id
      return documents<Contact>(ask, contactKind, view, point)
    } },
  { method: 'POST', path: 'contacts', summary: 'Register somebody at a service point, by e-mail or SMS, with quiet hours', roles: keepers, body: contact,
    example: { servicePoint: 'home-1', name: 'Ada', email: 'ada@example.org', quietHours: { from: '21:00', to: '08:00' } },
    command: async (work, ask) => {
      const b = ask.body as Static<typeof contact>
      const d = await createContact(work, ask.caller, { servicePoint: b.servicePoint, name: b.name ?? '', email: b.email ?? null, sms: b.sms ?? null, language: b.language ?? 'en', timeZone: b.timeZone ?? null, quietHours: b.quietHours ?? null, occasions: b.occasions ?? ['announced', 'changed', 'cancelled'] })
      return created('contacts', d.id, view(d))
    } },
  { method: 'GET', path: 'contacts/:id', summary: 'One contact', roles: keepers, read: async ({ core, caller, params }) => ok(view(present(await core.database.stores.documents.get<Contact>(caller.tenant, contactKind, params.id!), 'contact', params.id!))) },
  { method: 'PATCH', path: 'contacts/:id', summary: 'Change a contact', roles: keepers, body: contactChange,
    command: async (work, ask) => {
      const { version: _v, ...change } = ask.body as Static<typeof contactChange>
      return ok(view(await changeContact(work, ask.caller, ask.params.id!, given(change as never), ask.ifVersion)))
    } },
  { method: 'DELETE', path: 'contacts/:id', summary: 'Tell this person nothing more', roles: keepers,
    command: async (work, ask) => {
      await removeContact(work, ask.caller, ask.params.id!)
      return ok({ id: ask.params.id!, removed: true })
    } },
  { method: 'GET', path: 'notice-templates', summary: 'Own words for notices; without any the standard ones are used', roles: keepers, query: page({}), read: async (ask) => documents<NoticeTemplate>(ask, templateKind, view) },
  { method: 'POST', path: 'notice-templates', summary: 'Write the words of an occasion, channel and language; {{name}}, {{program}}, {{start}} … are filled in', roles: keepers, body: template,
    example: { occasion: 'announced', channel: 'sms', text: '{{program}}: {{power}} from {{start}} to {{end}}' },
    command: async (work, ask) => {
      const b = ask.body as Static<typeof template>, { tenant } = ask.caller
      const program = b.program === undefined || b.program === null ? null : present(await work.stores.programs.find(tenant, b.program), 'program', b.program).id
      const faults = [['/subject', b.subject ?? ''], ['/text', b.text]].flatMap(([path, t]) => { const reason = templateFault(t!); return reason === undefined ? [] : [{ path: path!, reason }] })
      if (faults.length > 0) throw new Refusal('invalid', 'this template cannot be used', { faults })
      const body: NoticeTemplate = { program, occasion: b.occasion, channel: b.channel, language: b.language ?? 'en', subject: b.subject ?? standardTemplate(b.occasion, b.channel).subject, text: b.text }
      const key = `${program ?? ''}/${body.occasion}/${body.channel}/${body.language}`, before = await work.stores.documents.byKey<NoticeTemplate>(tenant, templateKind, '', key), nowMs = work.clock.nowMs()
      const d = before ? await work.stores.documents.replace<NoticeTemplate>({ ...before, body }, nowMs, before.version) : await work.stores.documents.insert<NoticeTemplate>({ tenant, kind: templateKind, id: work.ids.uuid(), parent: '', key, body }, nowMs)
      await note(work, ask.caller, [{ action: 'noticeTemplate.write', entity: d.id, before: before?.body, after: body }])
      return created('notice-templates', d.id, view(d))
    } },
  { method: 'GET', path: 'notices', summary: 'What was said to whom, and what became of it', roles: staff, query: page({ dispatch: filter }), read: async (ask) => documents<Notice>(ask, noticeKind, noticeView, ask.query.dispatch) },
  { method: 'POST', path: 'notices/:id/resend', summary: 'Send one again', roles: keepers, body: closed({}),
    command: async (work, ask) => {
      const d = present(await work.stores.documents.get<Notice>(ask.caller.tenant, noticeKind, ask.params.id!), 'notice', ask.params.id!)
      const again = await work.stores.documents.replace<Notice>({ ...d, body: { ...d.body, state: 'pending' } }, work.clock.nowMs(), d.version)
      await sendAgain(work, ask.caller.tenant, d.id, work.clock.nowMs())
      await note(work, ask.caller, [{ action: 'notice.resend', entity: d.id }])
      return { status: 202, body: noticeView(again) }
    } },
]
