/** What the operator API answers, as far as pages read it. */
export type Protocol = 'openadr' | 'ieee2030_5' | 'ocpp'
export const protocols: readonly Protocol[] = ['openadr', 'ieee2030_5', 'ocpp']

export interface Allocation {
  byProtocol: Record<Protocol, number>
  byResource: { resource: string; protocol: Protocol; power_kW: number; allocated_W: number }[]
  total_kW: number
  shortfall_kW: number
}
export interface Dispatch {
  id: string
  version: number
  createdAt: string
  modifiedAt: string
  program: string
  programName: string
  programVersion: number
  power_kW: number
  start: string
  end: string
  timeZone: string
  state: string
  revision: number
  scope: { aggregation?: string; resources?: string[] } | null
  mode: string
  reason: string | null
  test: boolean
  createdBy: string
  releasedBy: string | null
  allocation: Allocation
  allocated_kW: number
  shortfall_kW: number
  bindingConstraints: string[]
  warnings: string[]
  excluded?: { resource: string; reason: string }[]
  dryRun?: boolean
}
export interface Delivery {
  id: string
  dispatch?: string
  resource: string
  resourceName: string
  servicePoint: string
  protocol: Protocol
  remoteId: string
  state: string
  reason?: string
  at: string
  allocated_W: number
  revision: number
  attempts: number
  remoteRef: string | null
  sentAt: string | null
  deliveredAt: string | null
  acknowledgedAt: string | null
  intervals: unknown[]
}
export interface Progress {
  dispatch: string
  state: string
  provisional: boolean
  at: string
  direction: 'down' | 'up'
  status: string
  reasons: string[]
  method: string
  level: string
  days: string[]
  dropped: { day: string; reason: string }[]
  ordered_kW: number
  allocated_kW: number
  points: { servicePoint: string; reported: number; asked_kWh: number; delivered_kWh: number | null }[]
  excludedPoints: string[]
  delivered_kWh: number | null
  asked_kWh: number
  intervalsDone: number
  intervals: {
    start: string
    end: string
    phase: 'before' | 'event' | 'after'
    baseline_kW: number | null
    actual_kW: number | null
    target_kW: number | null
    reported: number
    points: number
  }[]
}
export interface DayTrace {
  day: string
  verdict: 'kept' | 'dropped'
  reason: string
  mean_kW?: number
}
export interface BaselineTrace {
  method: string
  version: number
  dayType: string
  eventDay: string
  assumed: string[]
  considered: DayTrace[]
  adjustment: { kind: string; windowMinutes: number[]; uncapped?: number }
}
export interface Performance {
  dispatch: string
  state: string
  status: string
  reasons: string[]
  id?: string
  method: string
  methodVersion: number
  inputHash: string
  computedAt: string
  level: string
  direction: 'down' | 'up'
  ordered_kWh: number
  allocated_kW: number
  baseline_kWh: number | null
  metered_kWh: number | null
  delivered_kWh: number | null
  performance: number | null
  days: string[]
  flags: string[]
  computations: number
  excludedPoints: string[]
  intervals: { start: string; end: string; baseline_kW: number | null; actual_kW: number | null; delivered_kW: number | null }[]
  points: { servicePoint: string; status: string; reasons: string[]; delivered_kWh: number | null; delivered_kW: number[] }[]
  baselineTrace: {
    status: string
    days: string[]
    dropped: { day: string; reason: string }[]
    unadjusted?: number[]
    slots?: { start: number; end: number; kW: number }[]
    adjustment?: number | null
    flags?: string[]
    trace: BaselineTrace
  } | null
}
export interface Program {
  id: string
  version: number
  name: string
  programVersion: number
  timeZone: string
  direction: 'down' | 'up' | 'both'
  intervalMinutes: number
  baseline: { method: string; level: string }
  currency: string
  energyPrice: string | null
  capacityPrice: string | null
  customerShare: string
  state: string
  mode: string
  limits: Record<string, unknown>
  netting: string
  createdAt: string
  modifiedAt: string
}
export interface Location {
  latitude: number
  longitude: number
}
export interface Device {
  id: string
  name: string
  kind: string
  protocol: Protocol | null
  remoteId: string | null
  rated_kW: number
  servicePoint: string
  servicePointName: string | null
  gridPath: string[]
  location: Location | null
  enrolment: string | null
  available_kW: number | null
  delivery: { dispatch: string; state: string; reason: string | null; allocated_kW: number; at: string } | null
}
export interface Brief {
  id: string
  state: string
  start: string
  end: string
  ordered_kW: number
  allocated_kW: number
  direction: 'down' | 'up'
  program: string
}
export interface Overview {
  at: string
  enrolled: { kW: number; devices: number; byProtocol: Record<Protocol, number> }
  available: { down_kW: number; up_kW: number; devices: number; unknown: number; heardAt: string | null }
  dispatched: { kW: number; dispatches: number }
  live: Brief[]
  next: Brief[]
  last: Brief | null
  trouble: { kind: string; count: number; subject?: string; names?: string[]; at?: string }[]
}
export interface Run {
  id: string
  version: number
  createdAt: string
  program: string
  programVersion: number
  from: string
  to: string
  runNumber: number
  supersedes: string | null
  state: string
  calculatedBy: string
  approvedBy: string | null
  currency: string
  revenue: string
  customerPool: string
  aggregator: string
  inputHash: string
  resultHash: string
  input?: unknown
  result?: unknown
}
export interface StatementLine {
  dispatch: string
  kind: string
  paid_kWh: number
  own_kWh: number | null
  amount: string
  status?: string
  days?: string[]
  verification?: string
}
export interface Statement {
  id: string
  version: number
  createdAt: string
  run: string
  servicePoint: string
  delivered_kWh: number
  amount: string
  delta: string
  currency: string
  body: {
    period: { from: number; to: number }
    runNumber: number
    supersedes: string | null
    share: string
    method: string
    level: string
    price: string | null
    lines: StatementLine[]
    dispute: { until: number; how: string }
  }
}
export interface Enrolment {
  id: string
  version: number
  createdAt: string
  modifiedAt: string
  program: string
  servicePoint: string
  state: string
  share: string | null
  nominated_kW: number | null
  consent: { purpose: string; grantedAt: string; withdrawnAt?: string } | null
  history: { from: string | null; to: string; at: string; by: string; reason?: string }[]
}
export interface AuditRecord {
  seq: number
  at: string
  actor: string
  action: string
  entity: string
  reason: string
  before: string
  after: string
  hash: string
  /** With `changes=true`: member by member; null on a side, it was not there. */
  changes?: { path: string; before: string | number | boolean | null; after: string | number | boolean | null }[]
  intact?: boolean | null
}
export interface Reading {
  servicePoint: string
  start: string
  minutes: number
  Wh: number
  channel: 'import' | 'export'
  quality: string
  source: string
  receivedAt: string
  sourceVersion: number
}
export interface ServicePoint {
  id: string
  version: number
  name: string
  timeZone: string | null
  gridPath: string[]
  importLimit_kW: number | null
  exportLimit_kW: number | null
  location: Location | null
  account: string | null
}
