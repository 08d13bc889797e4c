import { Type, type Static } from 'typebox'
import { note } from '#core/audit/note.js'
import { present } from '#core/permission.js'
import type { Document } from '#core/port/store/document.js'
import { dispatchers, staff } from '#core/operator/roles.js'
import { created, ok, type OperatorRoute } from '#core/operator/route.js'
import { closed, page } from '#core/operator/schema.js'
import { stamp } from '#core/operator/wire.js'

/** What one person wants the next to know about a device: "the owner asks to be called first" (UX-049). */
interface DeviceNote { readonly text: string; readonly by: string }

const kind = 'core/DeviceNote', body = closed({ text: Type.String({ minLength: 1, maxLength: 2000 }) })
const view = (d: Document<DeviceNote>) => ({ id: d.id, version: d.version, text: d.body.text, by: d.body.by, at: stamp(d.createdAt) })

export const deviceNoteRoutes: readonly OperatorRoute[] = [
  { method: 'GET', path: 'devices/:id/notes', summary: 'What people wrote about a device, newest first', roles: staff, query: page({}),
    read: async ({ core, caller, params }) => {
      const { stores } = core.database, { id } = present(await stores.resources.find(caller.tenant, params.id!), 'device', params.id!)
      return ok({ items: (await stores.documents.list<DeviceNote>(caller.tenant, { kind, parent: id, order: ['-createdAt', '-id'], limit: 200 })).map(view), next: null })
    } },
  { method: 'POST', path: 'devices/:id/notes', summary: 'Write a note about a device; notes are never changed', roles: dispatchers, body, example: { text: 'call the owner first' },
    command: async (work, { caller, params, body: given }) => {
      const { stores, clock, ids } = work, { id } = present(await stores.resources.find(caller.tenant, params.id!), 'device', params.id!), { text } = given as Static<typeof body>
      const made = await stores.documents.insert<DeviceNote>({ tenant: caller.tenant, kind, id: ids.uuid(), parent: id, body: { text, by: caller.user } }, clock.nowMs())
      await note(work, caller, [{ action: 'resource.note', entity: id }])
      return created(`devices/${id}/notes`, made.id, view(made))
    } },
]
