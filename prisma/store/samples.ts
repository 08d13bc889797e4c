import type { Delivery } from '#core/dispatch/delivery.js'
import type { Dispatch } from '#core/dispatch/dispatch.js'
import type { Draft } from '#core/port/store/entity.js'
import type { Aggregation } from '#core/program/aggregation.js'
import type { Enrolment } from '#core/program/enrolment.js'
import type { Program } from '#core/program/program.js'
import type { Resource } from '#core/program/resource.js'
import type { ServicePoint } from '#core/program/service-point.js'
import type { SettlementRun, Statement } from '#core/settlement/settlement-run.js'
import type { VerificationResult } from '#core/verification/results.js'

/** Small whole entities for tests; ids double as names. */
export const program = (tenant: string, id: string): Draft<Program> => ({
  tenant, id, name: id, programVersion: 1, timeZone: 'America/Denver', direction: 'down', intervalMinutes: 15, baseline: { method: 'CAISO_10IN10', level: 'portfolio' },
  netting: 'import', currency: 'USD', energyPrice: '0.50', capacityPrice: null, customerShare: '0.70', floorLevel: 'none', paidRatioCap: '1', mode: 'merit',
  limits: { minNotice_s: 0 }, holidays: ['2026-07-04'], rules: {}, state: 'open',
})

export const servicePoint = (tenant: string, id: string): Draft<ServicePoint> => ({ tenant, id, name: id, timeZone: null, gridPath: ['F1', 'S1'], importLimit_W: 10_000, exportLimit_W: null, account: null })

export const resource = (tenant: string, id: string, at: string): Draft<Resource> => ({
  tenant, id, name: id, servicePoint: at, kind: 'charger', rated_W: 22_000, cost: '0', minBlock_W: 0,
  bindings: [{ protocol: 'ocpp', remoteId: id, evseId: 1, control: true }], constraints: {}, state: 'active',
})

export const enrolment = (tenant: string, id: string, of: string, at: string): Draft<Enrolment> => ({
  tenant, id, program: of, programVersion: 1, servicePoint: at, state: 'applied', share: null, nominated_W: 3_000_000_000, consent: null,
  history: [{ from: null, to: 'applied', at: '2026-01-01T00:00:00Z', by: 'u' }],
})

export const aggregation = (tenant: string, id: string): Draft<Aggregation> => ({ tenant, id, name: id, hierarchy: 'grid', parent: null, cap_W: 5000, members: [{ resource: 'r', from: 0, to: null }] })

export const dispatch = (tenant: string, id: string, of: string): Draft<Dispatch> => ({
  tenant, id, program: of, programVersion: 1, delta_W: -2_000_000, start: 3600, end: 10_800, scope: null, mode: 'merit', priority: 1, state: 'scheduled', revision: 0,
  reason: null, test: false, emergency: [], createdBy: 'u', releasedBy: null, allocation: [{ resource: 'r', protocol: 'ocpp', delta_W: -5000 }], allocated_W: -5000,
  shortfall_W: 0, bindingConstraints: [], warnings: [],
})

export const delivery = (tenant: string, id: string, of: string, to: string): Draft<Delivery> => ({
  tenant, id, dispatch: of, resource: to, servicePoint: 'sp', state: 'queued', reason: null, attempts: 0, remoteRef: null, sentAt: null, deliveredAt: null, acknowledgedAt: null, stateAt: 1,
  order: {
    id, tenant, dispatch: of, revision: 0, program: { id: 'p', name: 'p' }, resource: { id: to, name: to, kind: 'charger', rated_W: 22_000, servicePoint: 'sp' },
    binding: { protocol: 'ocpp', remoteId: to, control: true }, start: 3600, end: 10_800,
    intervals: [{ start: 3600, end: 10_800, delta_W: -5000, expected_W: null, setpoint_W: null, limitImport_W: null }],
    randomize_s: 0, expiry: 10_800, priority: 1, reportEvery_s: 900, createdAt: 1,
  },
})

export const verification = (tenant: string, id: string, of: string): Draft<VerificationResult> => ({
  tenant, id, kind: 'baseline', dispatch: of, subject: 'portfolio', method: 'CAISO_10IN10', methodVersion: 1, inputHash: 'h', status: 'OK', body: { series: [1.5, 2] },
})

export const settlementRun = (tenant: string, id: string, of: string): Draft<SettlementRun> => ({
  tenant, id, program: of, programVersion: 1, from: 0, to: 86_400, runNumber: 1, supersedes: null, state: 'draft', calculatedBy: 'u', approvedBy: null, currency: 'USD',
  revenue: '10.00', customerPool: '7.00', aggregator: '3.00', input: { b: 1, a: [null] }, inputHash: 'h', result: null, resultHash: 'h',
})

export const statement = (tenant: string, id: string, run: string): Draft<Statement> => ({ tenant, id, run, servicePoint: 'sp', delivered_Wh: 3_800_000, amount: '7.00', delta: '0.00', currency: 'USD', body: { lines: [] } })
