import { note } from '#core/audit/note.js'
import type { Caller } from '#core/caller.js'
import { issueDispatch } from '#core/dispatch/issue.js'
import { Refusal, type Fault } from '#core/error.js'
import { mustSeeProgram, present } from '#core/permission.js'
import type { Document } from '#core/port/store/document.js'
import type { Program } from '#core/program/program.js'
import { wattsFromKW } from '#core/quantity/power.js'
import type { Work } from '#core/work.js'

/** CORE-056, the words of Shapeshifter: a need, an offer with a price, an order that becomes events. ISPs are program intervals, from 1. */
export interface Isp {
  readonly isp: number
  readonly power_kW: number
}

export interface FlexRequest {
  readonly program: string
  /** Grid node (congestion point) or null for the whole program. */
  readonly node: string | null
  /** Start of ISP 1, epoch seconds. */
  readonly periodStart: number
  readonly isps: readonly Isp[]
  readonly expiresAt: number
  readonly state: 'open' | 'ordered' | 'expired'
}

export interface FlexOffer {
  readonly request: string
  readonly isps: readonly Isp[]
  /** Money per kWh, decimal text. */
  readonly price: string
  readonly minActivationFactor: number
  readonly expiresAt: number
  readonly state: 'offered' | 'ordered' | 'revoked' | 'expired'
}

export interface FlexOrder {
  readonly offer: string
  readonly request: string
  readonly activationFactor: number
  readonly isps: readonly Isp[]
  readonly dispatches: readonly string[]
}

export const kinds = { request: 'core/FlexRequest', offer: 'core/FlexOffer', order: 'core/FlexOrder' } as const

/** ISP numbers start at 1, one appears once per message. */
export function ispFaults(isps: readonly Isp[]): Fault[] {
  const seen = new Set<number>()
  return isps.flatMap(({ isp, power_kW }, i) => {
    const out: Fault[] = []
    if (!Number.isSafeInteger(isp) || isp < 1) out.push({ path: `/isps/${i}/isp`, reason: 'starts at 1' })
    if (seen.has(isp)) out.push({ path: `/isps/${i}/isp`, reason: 'appears twice' })
    if (!(power_kW > 0)) out.push({ path: `/isps/${i}/power_kW`, reason: 'must be above 0' })
    seen.add(isp)
    return out
  })
}

function checked(isps: readonly Isp[]): readonly Isp[] {
  const faults = isps.length === 0 ? [{ path: '/isps', reason: 'is empty' }] : ispFaults(isps)
  if (faults.length > 0) throw new Refusal('invalid', 'the ISPs cannot be', { faults })
  return [...isps].sort((a, b) => a.isp - b.isp)
}

const insert = <B>(work: Work, caller: Caller, kind: string, parent: string, body: B): Promise<Document<B>> =>
  work.stores.documents.insert<B>({ tenant: caller.tenant, kind, id: work.ids.uuid(), parent, body }, work.clock.nowMs())

export async function requestFlex(work: Work, caller: Caller, program: Program, wish: { node?: string; periodStart: number; isps: readonly Isp[]; expiresAt: number }): Promise<Document<FlexRequest>> {
  mustSeeProgram(caller, program.id)
  const isps = checked(wish.isps)
  if (wish.expiresAt <= work.clock.now()) throw new Refusal('invalid', 'the request is expired already', { faults: [{ path: '/expiresAt', reason: 'is in the past' }] })
  const d = await insert<FlexRequest>(work, caller, kinds.request, program.id, { program: program.id, node: wish.node ?? null, periodStart: wish.periodStart, isps, expiresAt: wish.expiresAt, state: 'open' })
  await note(work, caller, [{ action: 'flexRequest.create', entity: d.id, after: d.body }])
  return d
}

export async function offerFlex(work: Work, caller: Caller, wish: { request: string; isps: readonly Isp[]; price: string; minActivationFactor?: number; expiresAt: number }): Promise<Document<FlexOffer>> {
  const request = present(await work.stores.documents.get<FlexRequest>(caller.tenant, kinds.request, wish.request), 'flex request', wish.request)
  mustSeeProgram(caller, request.body.program)
  if (request.body.state !== 'open' || request.body.expiresAt <= work.clock.now()) throw new Refusal('conflict', 'this request takes no more offers')
  const isps = checked(wish.isps), asked = new Set(request.body.isps.map((i) => i.isp)), factor = wish.minActivationFactor ?? 1
  if (isps.some((i) => !asked.has(i.isp))) throw new Refusal('invalid', 'an offer answers the ISPs of its request', { faults: [{ path: '/isps', reason: 'names ISPs that were not asked for' }] })
  if (!(factor >= 0.01 && factor <= 1)) throw new Refusal('invalid', 'minActivationFactor is 0.01 to 1.00', { faults: [{ path: '/minActivationFactor', reason: 'must be 0.01 to 1.00' }] })
  const d = await insert<FlexOffer>(work, caller, kinds.offer, request.id, { request: request.id, isps, price: wish.price, minActivationFactor: factor, expiresAt: wish.expiresAt, state: 'offered' })
  await note(work, caller, [{ action: 'flexOffer.create', entity: d.id, after: d.body }])
  return d
}

/** Runs of ISPs with equal power: each becomes one event. */
export function runsOf(isps: readonly Isp[]): { from: number; to: number; power_kW: number }[] {
  const out: { from: number; to: number; power_kW: number }[] = []
  for (const { isp, power_kW } of isps) {
    const last = out.at(-1)
    if (last && last.to === isp && last.power_kW === power_kW) last.to = isp + 1
    else out.push({ from: isp, to: isp + 1, power_kW })
  }
  return out
}

/** An order is bound to an unexpired offer and becomes events with the ordered watts; any event that is refused refuses the order. */
export async function orderFlex(work: Work, caller: Caller, wish: { offer: string; activationFactor?: number }): Promise<Document<FlexOrder>> {
  const { stores, clock } = work, { tenant } = caller
  const offer = present(await stores.documents.get<FlexOffer>(tenant, kinds.offer, wish.offer), 'flex offer', wish.offer)
  if (offer.body.state !== 'offered') throw new Refusal('conflict', `this offer is ${offer.body.state}`)
  if (offer.body.expiresAt <= clock.now()) throw new Refusal('conflict', 'this offer has expired')
  const factor = wish.activationFactor ?? 1
  if (!(factor >= offer.body.minActivationFactor && factor <= 1)) throw new Refusal('invalid', `the activation factor is ${offer.body.minActivationFactor} to 1.00`, { faults: [{ path: '/activationFactor', reason: `must be ${offer.body.minActivationFactor} to 1.00` }] })
  const request = present(await stores.documents.get<FlexRequest>(tenant, kinds.request, offer.body.request), 'flex request', offer.body.request)
  const program = present(await stores.programs.get(tenant, request.body.program), 'program', request.body.program)
  mustSeeProgram(caller, program.id)
  const step = program.intervalMinutes * 60, isps = offer.body.isps.map((i) => ({ isp: i.isp, power_kW: i.power_kW * factor })), dispatches: string[] = []
  for (const run of runsOf(isps)) {
    const issued = await issueDispatch(work, caller, {
      program: program.id, delta_W: (program.direction === 'up' ? 1 : -1) * wattsFromKW(run.power_kW), start: request.body.periodStart + (run.from - 1) * step, end: request.body.periodStart + (run.to - 1) * step,
      scope: request.body.node === null ? null : { aggregation: request.body.node }, reason: `flex order of offer ${offer.id}`,
    })
    if ('checks' in issued) throw new Refusal(issued.outcome === 'refused' ? 'invalid' : 'conflict', issued.checks.map((c) => c.detail).join('; '), { faults: issued.checks.map((c) => ({ path: c.check, reason: c.detail })) })
    dispatches.push(issued.dispatch.id)
  }
  await stores.documents.replace<FlexOffer>({ ...offer, body: { ...offer.body, state: 'ordered' } }, clock.nowMs(), offer.version)
  await closeCovered(work, tenant, request, isps)
  const d = await insert<FlexOrder>(work, caller, kinds.order, offer.id, { offer: offer.id, request: request.id, activationFactor: factor, isps, dispatches })
  await note(work, caller, [{ action: 'flexOrder.create', entity: d.id, after: d.body }])
  return d
}

/** A need that is covered in every ISP takes no more offers; several orders may cover it together. */
async function closeCovered({ stores, clock }: Work, tenant: string, request: Document<FlexRequest>, isps: readonly Isp[]): Promise<void> {
  const ordered = new Map(isps.map((i) => [i.isp, i.power_kW]))
  for (const o of await stores.documents.list<FlexOrder>(tenant, { kind: kinds.order, where: { request: request.id } })) for (const i of o.body.isps) ordered.set(i.isp, (ordered.get(i.isp) ?? 0) + i.power_kW)
  if (request.body.isps.some((i) => (ordered.get(i.isp) ?? 0) < i.power_kW - 1e-9)) return
  await stores.documents.replace<FlexRequest>({ ...request, body: { ...request.body, state: 'ordered' } }, clock.nowMs(), request.version)
}

/** The participant takes an offer back; one that is ordered is a commitment. */
export async function revokeFlex(work: Work, caller: Caller, id: string, reason?: string): Promise<Document<FlexOffer>> {
  const { stores, clock } = work, offer = present(await stores.documents.get<FlexOffer>(caller.tenant, kinds.offer, id), 'flex offer', id)
  const request = present(await stores.documents.get<FlexRequest>(caller.tenant, kinds.request, offer.body.request), 'flex request', offer.body.request)
  mustSeeProgram(caller, request.body.program)
  if (offer.body.state !== 'offered') throw new Refusal('conflict', `this offer is ${offer.body.state}`)
  const after = await stores.documents.replace<FlexOffer>({ ...offer, body: { ...offer.body, state: 'revoked' } }, clock.nowMs(), offer.version)
  await note(work, caller, [{ action: 'flexOffer.revoke', entity: id, reason, before: offer.body, after: after.body }])
  return after
}

/** What a need or an offer is at an instant: nobody has to do anything for it to expire. */
export function standing<B extends { readonly state?: string; readonly expiresAt?: number }>(body: B, now: number): B {
  return (body.state === 'open' || body.state === 'offered') && body.expiresAt !== undefined && body.expiresAt <= now ? { ...body, state: 'expired' } : body
}
