import { all, get, type List, orNone } from '../../api.ts'
import type { Delivery, Device, Enrolment, Program, Progress, ServicePoint } from '../../types.ts'
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
  /** How often the same was said. */
  times?: number
}

interface Certificate {
  id: string
  serial: string | null
  lfdi: string | null
  sfdi: string | null
  state: string
  vendor: string | null
  notBefore?: string
  notAfter?: string
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
  /** Names of programs by id. */
  programs: Map<string, string>
  deliveries: (Delivery & { dispatch: string })[]
  station: Station | undefined
  certificate: Certificate | undefined
  record: string | undefined
  optOuts: OptOut[]
  progress: Progress | undefined
  /** Last words both ways, newest first, whatever the protocol. */
  frames: Frame[]
  stopped: Stop | undefined
}

export interface Stop {
  id: string
  scope: string
  subject: string
  reason: string
  by: string
  at: string
  active: boolean
}

/** A door's own record of a 2030.5 device, as that door would show it. */
async function recordOf(lfdi: string): Promise<string | undefined> {
  const answer = await fetch(`/api/v1/csip/edev/${encodeURIComponent(lfdi)}`).catch(
    () => undefined,
  )
  return answer?.ok ? answer.text() : undefined
}

/** The device first; how its meter answered the last order costs a computation and comes when it is ready. */
export async function everything(id: string, partly: (soFar: Everything) => void): Promise<Everything> {
  const resource = await get<Resource>(`/resources/${encodeURIComponent(id)}`),
    binding = resource.bindings.find((b) => b.control) ?? resource.bindings[0]
  const [point, enrolments, programs, deliveries, words, station, certificate, record, optOuts, stops] = await Promise.all([
    get<ServicePoint>(`/service-points/${resource.servicePoint}`),
    all<Enrolment>(`/enrolments?servicePoint=${resource.servicePoint}`),
    orNone(all<Program>('/programs')),
    orNone(get<List<Delivery & { dispatch: string }>>(`/devices/${resource.id}/deliveries`)),
    orNone(get<List<Frame>>(`/devices/${resource.id}/words`)),
    binding?.protocol === 'ocpp' ? orNone(get<Station>(`/stations/${encodeURIComponent(binding.remoteId)}`)) : undefined,
    binding?.protocol === 'ieee2030_5' ? orNone(get<Certificate>(`/certificates/${binding.remoteId}`)) : undefined,
    binding?.protocol === 'ieee2030_5' ? recordOf(binding.remoteId) : undefined,
    orNone(get<List<OptOut>>(`/opt-outs?resource=${resource.id}`)),
    orNone(get<List<Stop>>('/stop')),
  ])
  const newest = deliveries?.items[0]
  const soFar: Everything = {
    resource, point, enrolments, station, certificate, record,
    programs: new Map(programs?.map((p) => [p.id, p.name])),
    progress: undefined,
    deliveries: deliveries?.items ?? [],
    frames: station?.frames ?? words?.items ?? [],
    optOuts: optOuts?.items ?? [],
    stopped: stops?.items.find((x) => x.active && (x.scope === 'all' || x.subject === resource.id || point.gridPath.includes(x.subject))),
  }
  if (!newest) return soFar
  partly(soFar)
  return { ...soFar, progress: await orNone(get<Progress>(`/dispatches/${newest.dispatch}/progress`)) }
}
