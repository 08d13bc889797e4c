import type { Clock } from '#core/port/clock.js'
import type { ResourceTable } from '#core/port/store/index.js'
import type { Binding, Protocol, Resource } from '#core/program/resource.js'
import type { Session } from '#prisma/session.js'
import { requireTenant } from '#prisma/session.js'
import { namedTable } from '#prisma/store/table.js'

const remoteName = (protocol: Protocol, remoteId: string): string => `${protocol}:${remoteId}`

export function resourceTable(session: Session, clock: Clock): ResourceTable {
  const base = namedTable<Resource, { servicePoint?: string; kind?: string; servicePoints?: readonly string[] }>(session, clock, {
    model: 'resource', table: 'resource',
    derived: { fields: ['remotes'], of: ({ bindings }) => ({ remotes: bindings.map((b) => remoteName(b.protocol, b.remoteId)) }) },
    where: ({ servicePoint, servicePoints, kind }) => ({ service_point: servicePoints === undefined ? servicePoint : { in: servicePoint === undefined ? servicePoints : servicePoints.filter((p) => p === servicePoint) }, kind }),
  })
  return {
    ...base,
    async byRemote(tenant, protocol, remoteId, evseId) {
      requireTenant(tenant)
      const found = await session.sql.rows<{ id: string }>(
        'select id from resource where tenant = $1 and remotes @> array[$2] order by state, id', [tenant, remoteName(protocol, remoteId)])
      const resources = await base.getMany(tenant, found.map(({ id }) => id))
      resources.sort((a, b) => rank(a) - rank(b))
      return resources[0] && rank(resources[0]) < never ? resources[0] : undefined

      // The binding of that very EVSE, else one that names none; asked without an EVSE, any. Retired ones last.
      function rank(resource: Resource): number {
        const fits = resource.bindings.filter((b) => b.protocol === protocol && b.remoteId === remoteId).map((b) => fit(b, evseId))
        return Math.min(never, ...fits) + (resource.state === 'retired' ? 2 : 0)
      }
    },
    async boundTo(tenant, remotes) {
      requireTenant(tenant)
      if (remotes.length === 0) return []
      const found = await session.sql.rows<{ id: string }>('select id from resource where tenant = $1 and remotes && $2::text[]', [tenant, remotes.map((r) => remoteName(r.protocol, r.remoteId))])
      return await base.getMany(tenant, found.map(({ id }) => id))
    },
  }
}

const never = 10

function fit(binding: Binding, evseId: number | undefined): number {
  if (evseId === undefined || binding.evseId === evseId) return 0
  return binding.evseId === undefined ? 1 : never
}
