import { all, get, type List, orNone, token } from '../../api.ts'
import type { Delivery, Device, Enrolment, Progress, ServicePoint } from '../../types.ts'
import { text } from '../../part/basics.tsx'

interface Resource {
  id: string
  name: string
  kind: string
  rated_kW: number
  servicePoint: string
  cost: string
  minBlock_kW: number
  bindings: { protocol: string; remoteId: string; evseId?: number; control: boolean }[]
  constraints: Record<string, unknown>
  state: string
  version: number
}

interface Station {
  id: string
  online: boolean
  version: string
  registration: string
  approved: boolean
  lastSeen: string | null
  onlineSince: string | null
  securityProfiles: number[]
  profileInUse: number | null
  boot: Record<string, unknown> | null
  connectors: Record<string, { status: string }>
  profiles?: unknown[]
  frames?: Frame[]
}

export interface Frame {
  at: string
  direction: 'in' | 'out'
  text: string
}

interface Certificate {
  id: string
  serial: string
  lfdi: string | null
  sfdi: string | null
  state: string
  vendor: string
  notBefore: string
  notAfter: string
  revokedAt: string | null
  reason: string | null
}

interface OptOut {
  id: string
  resource: string
  from: string
  to: string | null
  reason: string
  source: string
}

export interface Everything {
  resource: Resource
  point: ServicePoint
  enrolments: Enrolment[]
  deliveries: (Delivery & { dispatch: string })[]
  station: Station | undefined
  certificate: Certificate | undefined
  record: string | undefined
  optOuts: OptOut[]
  progress: Progress | undefined
  last: Device['delivery']
}

/** A door's own record of a 2030.5 device, as that door would show it. */
async function recordOf(lfdi: string): Promise<string | undefined> {
  const answer = await fetch(`/api/v1/csip/edev/${encodeURIComponent(lfdi)}`, { headers: { authorization: `Bearer ${token() ?? ''}` } }).catch(
    () => undefined,
  )
  return answer?.ok ? answer.text() : undefined
}

export async function everything(id: string): Promise<Everything> {
  const resource = await get<Resource>(`/resources/${encodeURIComponent(id)}`),
    binding = resource.bindings.find((b) => b.control) ?? resource.bindings[0]
  const [point, enrolments, dispatches, station, certificate, record, optOuts] = await Promise.all([
    get<ServicePoint>(`/service-points/${resource.servicePoint}`),
    all<Enrolment>(`/enrolments?servicePoint=${resource.servicePoint}`),
    get<List<{ id: string; start: string; allocation: { byResource: { resource: string }[] } }>>('/dispatches?limit=1000'),
    binding?.protocol === 'ocpp' ? orNone(get<Station>(`/stations/${encodeURIComponent(binding.remoteId)}`)) : undefined,
    binding?.protocol === 'ieee2030_5' ? orNone(get<Certificate>(`/certificates/${binding.remoteId}`)) : undefined,
    binding?.protocol === 'ieee2030_5' ? recordOf(binding.remoteId) : undefined,
    orNone(get<List<OptOut>>(`/opt-outs?resource=${resource.id}`)),
  ])
  const newest = dispatches.items.sort((a, b) => b.start.localeCompare(a.start)).slice(0, 20)
  const deliveries = (
    await Promise.all(
      newest.map(async (d) =>
        (await all<Delivery>(`/dispatches/${d.id}/deliveries`)).filter((x) => x.resource === resource.id).map((x) => ({ ...x, dispatch: d.id })),
      ),
    )
  ).flat()
  const progress = deliveries[0] ? await orNone(get<Progress>(`/dispatches/${deliveries[0].dispatch}/progress`)) : undefined
  return { resource, point, enrolments, deliveries, station, certificate, record, optOuts: optOuts?.items ?? [], progress, last: null }
}
