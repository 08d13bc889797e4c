import { createHash, createPublicKey, verify } from 'node:crypto'
import { note } from '#core/audit/note.js'
import type { Caller } from '#core/caller.js'
import { Refusal, isRefusal, type Fault } from '#core/error.js'
import { mustSeeProgram, present } from '#core/permission.js'
import type { Stores } from '#core/port/store/index.js'
import type { Document } from '#core/port/store/document.js'
import { createResource, oneControl } from '#core/program/manage-assets.js'
import { apply, transition } from '#core/program/enrol.js'
import type { Enrolment } from '#core/program/enrolment.js'
import type { Protocol, Resource } from '#core/program/resource.js'
import type { Work } from '#core/work.js'

export const claimKind = 'core/Claim'

/** CORE-026: what a claim code on a device's box stands for. The code itself is kept as a hash. */
export interface Claim {
  readonly program: string
  readonly servicePoint: string
  readonly kind: string
  readonly rated_W: number
  readonly protocol: Protocol
  /** Only a device of this maker, with this serial number, may use it; null = any that is known. */
  readonly maker: string | null
  readonly serial: string | null
  readonly consent: Enrolment['consent']
  readonly expiresAt: number
  readonly usedBy: { readonly resource: string; readonly enrolment: string; readonly at: number } | null
}

/** A device as its certificate says, once a room that knows certificates has accepted it. */
export interface KnownDevice {
  readonly lfdi: string
  readonly maker: string
  readonly serial: string
  /** Subject public key, PEM or DER in base64, to check what the device signed. */
  readonly publicKey: string
}

/** Chain, validity and revocation are judged where certificates are known; a refused one throws `forbidden` with the reasons. */
export type DeviceCertificates = (pem: string) => Promise<KnownDevice>

/** What is wrong with the certificate that an LFDI stands for, as half a sentence; reads only through the stores it is handed. */
export type CertificateStanding = (stores: Pick<Stores, 'documents'>, tenant: string, lfdi: string) => Promise<string | undefined>

const hash = (code: string): string => createHash('sha256').update(code.replaceAll(/[^0-9a-z]/gi, '').toLowerCase()).digest('hex')

export async function createClaim(work: Work, caller: Caller, wish: Omit<Claim, 'usedBy' | 'expiresAt'> & { expiresIn_s: number }): Promise<{ code: string; document: Document<Claim> }> {
  const { stores, clock, ids } = work
  const program = present(await stores.programs.find(caller.tenant, wish.program), 'program', wish.program)
  mustSeeProgram(caller, program.id)
  const point = present(await stores.servicePoints.find(caller.tenant, wish.servicePoint), 'service point', wish.servicePoint)
  const { expiresIn_s, ...rest } = wish, code = ids.hex(16).replace(/(.{4})(?=.)/g, '$1-')
  const body: Claim = { ...rest, program: program.id, servicePoint: point.id, expiresAt: clock.nowMs() + expiresIn_s * 1000, usedBy: null }
  const document = await stores.documents.insert<Claim>({ tenant: caller.tenant, kind: claimKind, id: ids.uuid(), parent: point.id, key: hash(code), body }, clock.nowMs())
  await note(work, caller, [{ action: 'claim.create', entity: document.id, after: body }])
  return { code, document }
}

/** What a device signs to prove that the certificate is its own: a certificate alone is public. */
export const claimText = (code: string, lfdi: string): string => `loadstone-claim\n${code}\n${lfdi}`

function proven(device: KnownDevice, code: string, proof: string): boolean {
  try {
    return verify('sha256', Buffer.from(claimText(code, device.lfdi)), createPublicKey(device.publicKey), Buffer.from(proof, 'base64'))
  } catch { return false }
}

export interface Claimed {
  readonly resource: Resource
  readonly enrolment: Enrolment
  /** Rules that stop the way to `verified`; empty when it arrived. */
  readonly failing: readonly Fault[]
}

/**
 * CORE-026: a known device with a claim code goes applied → eligible → verified without staff, as far as the rules pass; each step is in the
 * audit trail under the device's own name. A wrong, used or expired code and another maker's device all look the same from outside.
 */
export async function redeemClaim(work: Work, caller: Caller, wish: { code: string; device: KnownDevice; proof: string; name?: string }): Promise<Claimed> {
  const { stores, clock } = work, { device } = wish
  const found = (await stores.documents.list<Claim>(caller.tenant, { kind: claimKind, key: hash(wish.code), limit: 1 }))[0]
  const fits = found && found.body.usedBy === null && found.body.expiresAt > clock.nowMs() && (found.body.maker === null || found.body.maker === device.maker) && (found.body.serial === null || found.body.serial === device.serial)
  if (!found || !fits || !proven(device, wish.code, wish.proof)) throw new Refusal('notFound', 'there is no such claim for this device')
  await stores.ledger.hold(caller.tenant)
  const claim = found.body, self: Caller = Object.freeze({ tenant: caller.tenant, subject: device.lfdi, user: `device:${device.lfdi}`, kind: 'system' as const, roles: ['operator' as const] })
  const resource = await createResource(work, self, {
    name: wish.name ?? `${claim.kind}-${device.lfdi.slice(0, 10)}`, servicePoint: claim.servicePoint, kind: claim.kind, rated_W: claim.rated_W, cost: '0', minBlock_W: 0,
    bindings: oneControl([{ protocol: claim.protocol, remoteId: device.lfdi }]), constraints: {}, state: 'active',
  })
  let enrolment = await apply(work, self, { program: claim.program, servicePoint: claim.servicePoint, consent: claim.consent }), failing: readonly Fault[] = []
  for (const to of ['eligible', 'verified'] as const) {
    try {
      enrolment = await transition(work, self, enrolment.id, { to, reason: 'claim code and certificate' })
    } catch (error) {
      // a rule that fails leaves the enrolment where it stands, for a person to look at
      if (!isRefusal(error) || error.kind !== 'conflict') throw error
      failing = error.faults
      break
    }
  }
  await stores.documents.replace<Claim>({ ...found, body: { ...claim, usedBy: { resource: resource.id, enrolment: enrolment.id, at: clock.nowMs() } } }, clock.nowMs(), found.version)
  await note(work, self, [{ action: 'claim.redeem', entity: found.id, reason: failing.map((f) => f.reason).join('; '), after: { resource: resource.id, enrolment: enrolment.id, state: enrolment.state } }])
  return { resource, enrolment, failing }
}
