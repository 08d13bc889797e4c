import { present, seesProgram } from '#core/permission.js'
import { every } from '#core/port/store/every.js'
import { deliveryView } from '#core/operator/dispatch.js'
import { staff } from '#core/operator/roles.js'
import { ok, type OperatorRoute } from '#core/operator/route.js'

/** What a device last said and heard, on the doors that it asks (UX-049); a charger's frames stand at its station. */
export const wordRoutes: readonly OperatorRoute[] = [
  { method: 'GET', path: 'devices/:id/words', summary: 'Last words both ways of a device on the OpenADR or 2030.5 door, newest first, secrets masked', roles: staff,
    read: async ({ core, caller, params }) => {
      const resource = present(await core.database.stores.resources.find(caller.tenant, params.id!), 'device', params.id!), items = resource.bindings.flatMap((b) => core.words.of(caller.tenant, b.protocol, b.remoteId))
      return ok({ items: items.sort((a, b) => (a.at < b.at ? 1 : a.at > b.at ? -1 : 0)), next: null })
    } },
  { method: 'GET', path: 'devices/:id/deliveries', summary: 'Every part of every order that this device was given, newest first', roles: staff,
    read: async ({ core, caller, params }) => {
      const { stores } = core.database, resource = present(await stores.resources.find(caller.tenant, params.id!), 'device', params.id!), parts = await every((p) => stores.deliveries.list(caller.tenant, { resource: resource.id }, p))
      const newest = parts.sort((a, b) => b.order.start - a.order.start).slice(0, 100), seen = new Set((await stores.dispatches.getMany(caller.tenant, newest.map((d) => d.dispatch))).filter((d) => seesProgram(caller, d.program)).map((d) => d.id))
      return ok({ items: newest.filter((d) => seen.has(d.dispatch)).map((d) => ({ ...deliveryView(d), dispatch: d.dispatch })), next: null })
    } },
]
