import { Refusal } from '#core/error.js'
import type { Document } from '#core/port/store/document.js'
import { checkDeviceRequest } from '#certs/csr.js'
import { endsSoon, hwTypeAskedFor, jobOf, nameOf, otherIdentity, serialAskedFor } from '#certs/enrolment-job.js'
import type { BatchRow, Job, Requester } from '#certs/enrolment-job.js'
import { buildIssuing } from '#certs/issuing.js'
import type { Issued, IssuingNeeds } from '#certs/issuing.js'
import { pinFromHex } from '#certs/lfdi.js'
import type { AcceptedDevice } from '#certs/profile/device.js'
import { enrolmentDocument, enrolmentId, Kind } from '#certs/record.js'
import type { CertificateRecord, EnrolmentRecord, VendorRecord } from '#certs/record.js'
import { checkSerial, expected, penOf } from '#certs/vendor.js'
import type { Vendors } from '#certs/vendor.js'
import { readCertificate } from '#certs/x509/certificate.js'

export type { BatchRow, Requester } from '#certs/enrolment-job.js'
export type { Issued, Registered, Registration } from '#certs/issuing.js'

export interface Pending {
  readonly kind: 'pending'
  readonly retryAfter_s: number
}

export type BatchResult = { readonly row: number; readonly ok: true; readonly issued: Issued } | { readonly row: number; readonly ok: false; readonly reason: string }

export interface Enrolment {
  enrol(csr: Uint8Array, requester: Requester): Promise<Issued | Pending>
  reenrol(csr: Uint8Array, current: { readonly device: AcceptedDevice; readonly certificate: Uint8Array }): Promise<Issued>
  batch(vendor: VendorRecord, rows: readonly BatchRow[], requester: string): Promise<readonly BatchResult[]>
  waiting(): Promise<readonly { readonly id: string; readonly request: EnrolmentRecord }[]>
  decide(id: string, decision: 'approve' | 'reject', by: string, reason?: string): Promise<EnrolmentRecord>
}

export interface EnrolmentNeeds extends IssuingNeeds {
  readonly vendors: Vendors
  /** How long the old certificate stays good after re-enrolment (SEP-194). Default 7 days. */
  readonly overlapMs?: number
  readonly retryAfter_s?: number
}

export function buildEnrolment(needs: EnrolmentNeeds): Enrolment {
  const { documents, tenant, registry, vendors, clock, ids, log } = needs
  const exclusive = locks(), { claimKeys, issue, recorded, known: enrolments } = buildIssuing(needs)
  const one = async (job: Job, document: Document<EnrolmentRecord> | undefined): Promise<Issued> => {
    return (await issue([job], new Map(document ? [[document.id, document]] : []))).get(job)!
  }
  const mustClaim = async (job: Job): Promise<void> => {
    const refused = (await claimKeys([job])).get(job)
    if (refused) throw new Refusal('invalid', refused)
  }

  /** A device that holds a good certificate does not get a second one for another key here: that is simplereenroll. */
  async function taken(document: Document<EnrolmentRecord> | undefined, keyHash: string): Promise<string | undefined> {
    const { certificate, keyHash: held } = document?.body ?? {}
    if (!certificate || held === keyHash) return undefined
    const record = await registry.bySerial(certificate)
    return record && record.state === 'valid' && !registry.isBlocked(record.lfdi ?? '') && clock.nowMs() <= record.notAfterMs
      ? 'this serial number has a certificate for another key: renew it with simplereenroll, or revoke it first' : undefined
  }

  /** SEC-022: whether the newest certificate of a device was revoked; an older one that still holds (SEP-194) does not undo that. */
  async function revokedOf(document: Document<EnrolmentRecord> | undefined): Promise<boolean> {
    const newest = document?.body.certificate ? await registry.bySerial(document.body.certificate) : undefined
    return newest?.state === 'revoked' || (newest?.lfdi ? registry.isBlocked(newest.lfdi) : false)
  }

  return {
    async enrol(csr, requester) {
      const asked = checkDeviceRequest(csr), { vendor } = requester
      if (requester.kind === 'secret' && requester.secret.usedFor !== null && requester.secret.usedFor !== asked.keyHash) throw new Refusal('unauthenticated', 'the secret was used already')
      const hwSerialNum = serialAskedFor(asked.hwSerialNum, requester)
      return exclusive(enrolmentId(vendor.name, hwSerialNum), async () => {
        const document = await documents.get<EnrolmentRecord>(tenant, Kind.enrolment, enrolmentId(vendor.name, hwSerialNum))
        const hwType = hwTypeAskedFor(asked.hwType, vendor, document?.body)
        const before = await recorded(document, asked.keyHash)
        if (before) return before
        if (requester.kind === 'device' && await revokedOf(document)) throw new Refusal('forbidden', revokedSentence)
        const conflict = await taken(document, asked.keyHash)
        if (conflict) throw new Refusal('conflict', conflict)
        const job: Job = { vendor, hwType, hwSerialNum, publicKey: asked.publicKey, keyHash: asked.keyHash, csr: Buffer.from(csr).toString('base64'), requester: nameOf(requester), replaces: null }
        await mustClaim(job)
        // Last of all checks: a request that is refused does not use up the secret.
        if (requester.kind === 'secret') await vendors.useSecret(requester.id, asked.keyHash)
        if (vendor.approval === 'manual') {
          const { state, keyHash } = document?.body ?? {}
          if (state === 'rejected' && keyHash === asked.keyHash) throw new Refusal('forbidden', 'an operator rejected the request')
          if (state !== 'approved' || keyHash !== asked.keyHash) {
            const body: EnrolmentRecord = {
              ...document?.body ?? expected(vendor.name, hwType, hwSerialNum, pinFromHex(ids.hex(8))),
              hwType, state: 'pending', keyHash: asked.keyHash, csr: job.csr, certificate: null, requester: job.requester, decidedBy: null, reason: null,
            }
            if (state !== 'pending' || keyHash !== asked.keyHash) await documents.insertMany([enrolmentDocument(tenant, body)], clock.nowMs(), { onConflict: 'replace' })
            return { kind: 'pending', retryAfter_s: needs.retryAfter_s ?? 300 }
          }
        }
        return one(job, document)
      })
    },

    async reenrol(csr, { device, certificate }) {
      const asked = checkDeviceRequest(csr), current = readCertificate(certificate)
      const differs = otherIdentity(asked.view, current)
      if (differs) throw new Refusal('invalid', differs)
      const vendor = await vendors.byPen(penOf(device.hwType ?? '') ?? -1)
      if (!vendor) throw new Refusal('forbidden', 'the manufacturer of this certificate is not accepted here')
      const hwSerialNum = checkSerial(device.hwSerialNum ?? '')
      return exclusive(enrolmentId(vendor.name, hwSerialNum), async () => {
        const document = await documents.get<EnrolmentRecord>(tenant, Kind.enrolment, enrolmentId(vendor.name, hwSerialNum))
        const before = await recorded(document, asked.keyHash)
        if (before && (before.lfdi !== device.lfdi || !endsSoon(current, clock.nowMs()))) return before
        const newest = document?.body.certificate ? await registry.bySerial(document.body.certificate) : undefined
        // A certificate that was replaced may fetch what replaced it, nothing else.
        if (newest?.lfdi && newest.lfdi !== device.lfdi && newest.state === 'valid') throw new Refusal('forbidden', 'this certificate was replaced by a newer one: renew that one')
        if (await revokedOf(document)) throw new Refusal('forbidden', revokedSentence)
        const job: Job = { vendor, hwType: device.hwType!, hwSerialNum, publicKey: asked.publicKey, keyHash: asked.keyHash, csr: Buffer.from(csr).toString('base64'), requester: device.lfdi, replaces: device.lfdi }
        await mustClaim(job)
        const issued = await one(job, document)
        await supersede(device.lfdi)
        return issued
      })
    },

    async batch(vendor, rows, requester) {
      const results: BatchResult[] = []
      for (let at = 0; at < rows.length; at += chunk) {
        const part = rows.slice(at, at + chunk).map((row, i) => ({ row: at + i + 1, job: jobOf(row, vendor, requester) }))
        const jobs = part.flatMap(({ job }) => typeof job === 'string' ? [] : [job])
        const answers = await exclusive(jobs.map((j) => enrolmentId(vendor.name, j.hwSerialNum)), () => batchPart(jobs))
        for (const { row, job } of part) {
          const answer = typeof job === 'string' ? job : answers.get(job)!
          results.push(typeof answer === 'string' ? { row, ok: false, reason: answer } : { row, ok: true, issued: answer })
        }
      }
      return results
    },

    waiting: async () => (await documents.list<EnrolmentRecord>(tenant, { kind: Kind.enrolment, where: { state: 'pending' }, limit: 1_000 })).map((d) => ({ id: d.id, request: d.body })),

    async decide(id, decision, by, reason) {
      const document = await documents.get<EnrolmentRecord>(tenant, Kind.enrolment, id)
      if (!document) throw new Refusal('notFound', 'there is no such request')
      if (document.body.state !== 'pending') throw new Refusal('conflict', `the request is ${document.body.state}, it does not wait`)
      const body: EnrolmentRecord = { ...document.body, state: decision === 'approve' ? 'approved' : 'rejected', decidedBy: by, reason: reason ?? null }
      const stored = await documents.replace(enrolmentDocument(tenant, body), clock.nowMs(), document.version)
      log.info({ audit: 'enrolment decided', id, decision, by, clause: 'SEP-226' }, 'enrolment decided')
      return stored.body
    },
  }

  async function batchPart(jobs: readonly Job[]): Promise<Map<Job, Issued | string>> {
    const known = await enrolments(jobs.map((j) => enrolmentId(j.vendor.name, j.hwSerialNum)))
    const answers = new Map<Job, Issued | string>(), seen = new Set<string>(), fresh: Job[] = []
    for (const job of jobs) {
      const id = enrolmentId(job.vendor.name, job.hwSerialNum), document = known.get(id)
      const before = document && (await recorded(document, job.keyHash) ?? await taken(document, job.keyHash))
      if (before) answers.set(job, before)
      else if (seen.has(id) || seen.has(job.keyHash)) answers.set(job, 'the same serial number or key comes twice in this batch')
      else { fresh.push(job); seen.add(id).add(job.keyHash) }
    }
    const refused = fresh.length > 0 ? await claimKeys(fresh) : new Map<Job, string>()
    for (const [job, why] of refused) answers.set(job, why)
    for (const [job, issued] of await issue(fresh.filter((j) => !refused.has(j)), known)) answers.set(job, issued)
    return answers
  }

  /** SEP-194: the old LFDI stays good for the overlap, then it is blocked. */
  async function supersede(lfdi: string): Promise<void> {
    const old = await documents.byKey<CertificateRecord>(tenant, Kind.certificate, '', lfdi)
    if (old && old.body.state === 'valid') await documents.replace<CertificateRecord>({ ...old, body: { ...old.body, state: 'superseded' } }, clock.nowMs(), old.version)
    await registry.block({ id: lfdi, what: 'certificate', reason: 'superseded', by: 'simplereenroll', fromMs: clock.nowMs() + (needs.overlapMs ?? 7 * 86_400_000) })
  }
}

const chunk = 250
const revokedSentence = 'the newest certificate of this device was revoked: its maker has to enrol it again'

/** Work on the same names goes one after another; one process issues (SEP-230: the MICA's key is nowhere else). */
function locks() {
  const tails = new Map<string, Promise<unknown>>()
  return async <T>(names: string | readonly string[], work: () => Promise<T>): Promise<T> => {
    const wanted = [...new Set(typeof names === 'string' ? [names] : names)]
    const before = Promise.allSettled(wanted.map((n) => tails.get(n)))
    const mine = before.then(work)
    const tail = mine.catch(() => undefined)
    for (const name of wanted) tails.set(name, tail)
    try {
      return await mine
    } finally {
      for (const name of wanted) if (tails.get(name) === tail) tails.delete(name)
    }
  }
}
