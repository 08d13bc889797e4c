import { isRefusal, Refusal } from '#core/error.js'
import type { Clock } from '#core/port/clock.js'
import type { Ids } from '#core/port/ids.js'
import type { Log } from '#core/port/log.js'
import type { Document, DocumentStore } from '#core/port/store/document.js'
import { indefinite, planDevice, serialFrom, signed } from '#certs/authority.js'
import type { Authority } from '#certs/authority.js'
import { checkDeviceRequest, keyHashOf, longestRequest } from '#certs/csr.js'
import { lfdiOf, pinFromHex, sfdiOf } from '#certs/lfdi.js'
import type { AcceptedDevice } from '#certs/profile/device.js'
import { guessableKey } from '#certs/profile/weak-key.js'
import { enrolmentId, Kind } from '#certs/record.js'
import type { CertificateRecord, EnrolmentRecord, KeyRecord, SecretRecord, VendorRecord } from '#certs/record.js'
import type { CertificateRegistry } from '#certs/registry.js'
import { checkSerial, expected, hwTypeOf, penArc, penOf } from '#certs/vendor.js'
import type { Vendors } from '#certs/vendor.js'
import { hardwareModuleName, publicKeyOf, readCertificate } from '#certs/x509/certificate.js'
import type { CertificateView } from '#certs/x509/certificate.js'
import { readDer } from '#certs/x509/der.js'
import { Oid, Policy } from '#certs/x509/oid.js'
import { fromPem } from '#certs/x509/pem.js'

/** Who asks for a certificate, as the door proved it (SEP-223). */
export type Requester =
  | { readonly kind: 'vendor'; readonly vendor: VendorRecord }
  | { readonly kind: 'secret'; readonly vendor: VendorRecord; readonly id: string; readonly secret: SecretRecord }
  | { readonly kind: 'device'; readonly vendor: VendorRecord; readonly device: AcceptedDevice }

export interface Issued {
  readonly kind: 'issued'
  readonly der: Buffer
  readonly lfdi: string
  readonly sfdi: number
  readonly pin: number
  readonly hwSerialNum: string
  /** The certificate was there already (SEP-226). */
  readonly repeated: boolean
}

export interface Pending {
  readonly kind: 'pending'
  readonly retryAfter_s: number
}

/** What the rest of the system learns of an issued certificate: a pre-registration (SEP-231), or a new key for a known device (SEP-233). */
export interface Registered {
  readonly lfdi: string
  readonly sfdi: number
  readonly pin: number
  readonly vendor: string
  readonly hwType: string
  readonly hwSerialNum: string
  readonly serial: string
  readonly replaces: string | null
}

/** Told before the certificate is handed out, perhaps more than once for the same one. */
export interface Registration {
  issued(entries: readonly Registered[]): Promise<void>
}

export type BatchRow = { readonly csr: string } | { readonly hwSerialNum: string; readonly publicKey: string; readonly hwType?: string }
export type BatchResult = { readonly row: number; readonly ok: true; readonly issued: Issued } | { readonly row: number; readonly ok: false; readonly reason: string }

export interface Enrolment {
  enrol(csr: Uint8Array, requester: Requester): Promise<Issued | Pending>
  reenrol(csr: Uint8Array, current: { readonly device: AcceptedDevice; readonly certificate: Uint8Array }): Promise<Issued>
  batch(vendor: VendorRecord, rows: readonly BatchRow[], requester: string): Promise<readonly BatchResult[]>
  waiting(): Promise<readonly { readonly id: string; readonly request: EnrolmentRecord }[]>
  decide(id: string, decision: 'approve' | 'reject', by: string, reason?: string): Promise<EnrolmentRecord>
}

export interface EnrolmentNeeds {
  readonly documents: DocumentStore
  readonly tenant: string
  readonly registry: CertificateRegistry
  readonly vendors: Vendors
  readonly mica: Authority
  readonly registration: Registration
  readonly clock: Clock
  readonly ids: Ids
  readonly log: Log
  /** How long certificates hold; null = indefinite (SEP-225). Default null. */
  readonly lifetimeMs?: number | null
  /** How long the old certificate stays good after re-enrolment (SEP-194). Default 7 days. */
  readonly overlapMs?: number
  readonly retryAfter_s?: number
}

/** One certificate to be made, after every check. */
interface Job {
  readonly vendor: VendorRecord
  readonly hwType: string
  readonly hwSerialNum: string
  readonly publicKey: Buffer
  readonly keyHash: string
  readonly csr: string | null
  readonly requester: string
  readonly replaces: string | null
}

export function buildEnrolment(needs: EnrolmentNeeds): Enrolment {
  const { documents, tenant, registry, vendors, mica, registration, clock, ids, log } = needs
  const exclusive = locks()
  // Interpretation: SEP-202 leaves notBefore open. The issuer's own start serves devices whose clock lags, and machines whose
  // TLS looks at another clock than ours (a time-lapse run).
  const fromMs = readCertificate(mica.certificate).notBeforeMs

  const enrolmentDocument = (body: EnrolmentRecord) => ({ tenant, kind: Kind.enrolment, id: enrolmentId(body.vendor, body.hwSerialNum), parent: body.vendor, key: body.hwSerialNum, body })
  const certificateDocument = (body: CertificateRecord) => ({ tenant, kind: Kind.certificate, id: body.serial, parent: '', key: body.lfdi, owner: body.hwSerialNum, sort1: body.notAfterMs, body })
  const byIds = async <B>(kind: string, wanted: readonly string[]): Promise<Map<string, Document<B>>> =>
    new Map((await documents.list<B>(tenant, { kind, ids: wanted, limit: Math.max(1, wanted.length) })).map((d) => [d.id, d]))

  /** A key belongs to one device; the store's unique id decides between two that ask at once (SEC-021). */
  async function claimKeys(jobs: readonly Job[]): Promise<Map<Job, string>> {
    const fresh = new Set((await documents.insertMany<KeyRecord>(jobs.map((j) => ({ tenant, kind: Kind.key, id: j.keyHash, parent: '', body: { vendor: j.vendor.name, hwSerialNum: j.hwSerialNum, compromised: false } })), clock.nowMs(), { onConflict: 'skip' })).map((d) => d.id))
    const seen = jobs.filter((j) => !fresh.has(j.keyHash))
    if (seen.length === 0) return new Map()
    const keys = await byIds<KeyRecord>(Kind.key, seen.map((j) => j.keyHash))
    return new Map(seen.flatMap((job): [Job, string][] => {
      const key = keys.get(job.keyHash)?.body
      if (key?.compromised) return [[job, 'the key was revoked as compromised']]
      return key && key.vendor === job.vendor.name && key.hwSerialNum === job.hwSerialNum ? [] : [[job, 'the key belongs to another device']]
    }))
  }

  /**
   * For keys that are claimed: intent and bytes to be signed are stored, signed, stored, told, and only then answered.
   * Whatever moment the process dies at, the same request ends with one certificate that is on record (SEC-025).
   */
  async function issue(jobs: readonly Job[], known: Map<string, Document<EnrolmentRecord>>): Promise<Map<Job, Issued>> {
    const now = clock.nowMs()
    const planned = await Promise.all(jobs.map(async (job) => {
      const before = known.get(enrolmentId(job.vendor.name, job.hwSerialNum))
      const serial = serialFrom(ids.hex(16)), pin = before?.body.pin ?? pinFromHex(ids.hex(8))
      const validity = { fromMs, toMs: needs.lifetimeMs ? Math.floor((now + needs.lifetimeMs) / 1000) * 1000 : indefinite }
      const tbs = await planDevice(mica, {
        serial, publicKey: job.publicKey, hwType: job.hwType, hwSerialNum: job.hwSerialNum, validity,
        policies: [job.vendor.policy === 'factory' ? Policy.generic : Policy.postManufacture],
      })
      const enrolment: EnrolmentRecord = {
        ...before?.body ?? expected(job.vendor.name, job.hwType, job.hwSerialNum, pin),
        hwType: job.hwType, state: 'issuing', keyHash: job.keyHash, csr: job.csr, certificate: serial, requester: job.requester,
      }
      const record: CertificateRecord = {
        serial, state: 'signing', der: tbs.toString('base64'), lfdi: null, sfdi: null, pin, vendor: job.vendor.name, hwType: job.hwType, hwSerialNum: job.hwSerialNum, keyHash: job.keyHash,
        notBeforeMs: validity.fromMs, notAfterMs: validity.toMs, requester: job.requester, issuedAtMs: now, replaces: job.replaces, revokedAtMs: null, reason: null,
      }
      return { job, enrolment, record, tbs }
    }))
    // Each step is one statement: the enrolments and the certificates of a batch, all or none.
    await documents.insertMany<unknown>(planned.flatMap((p) => [enrolmentDocument(p.enrolment), certificateDocument(p.record)]), now, { onConflict: 'replace' })
    const made = await Promise.all(planned.map(async (p) => ({ ...p, record: await finish(p.record) })))
    await documents.insertMany<unknown>(made.flatMap((p) => [certificateDocument(p.record), enrolmentDocument({ ...p.enrolment, state: 'issued' })]), now, { onConflict: 'replace' })
    await tell(made.map((p) => p.record))
    for (const { record } of made) logIssued(record)
    return new Map(made.map(({ job, record }) => [job, issuedOf(record, false)]))
  }

  /** Signs what is on record. */
  async function finish(record: CertificateRecord): Promise<CertificateRecord> {
    const der = await signed(Buffer.from(record.der, 'base64'), mica.signer), lfdi = lfdiOf(der)
    return { ...record, state: 'valid', der: der.toString('base64'), lfdi, sfdi: sfdiOf(lfdi) }
  }

  async function tell(records: readonly CertificateRecord[]): Promise<void> {
    await registration.issued(records.map((r) => ({ lfdi: r.lfdi!, sfdi: r.sfdi!, pin: r.pin, vendor: r.vendor, hwType: r.hwType, hwSerialNum: r.hwSerialNum, serial: r.serial, replaces: r.replaces })))
  }

  /** SEP-230: one line of audit for each certificate. */
  const logIssued = (r: CertificateRecord): void =>
    log.info({ audit: 'certificate issued', serial: r.serial, lfdi: r.lfdi, sfdi: r.sfdi, vendor: r.vendor, hwSerialNum: r.hwSerialNum, requester: r.requester, clause: 'SEP-230' }, 'certificate issued')

  /** What is on record for this device and key: the certificate (finished now if a crash left it unsigned), or nothing yet. */
  async function recorded(document: Document<EnrolmentRecord> | undefined, keyHash: string): Promise<Issued | undefined> {
    const enrolment = document?.body
    if (!enrolment?.certificate || enrolment.keyHash !== keyHash || (enrolment.state !== 'issued' && enrolment.state !== 'issuing')) return undefined
    const found = await documents.get<CertificateRecord>(tenant, Kind.certificate, enrolment.certificate)
    if (!found) return undefined
    let record = found.body
    if (record.state === 'signing') {
      record = await finish(record)
      await documents.insertMany<unknown>([certificateDocument(record), enrolmentDocument({ ...enrolment, state: 'issued' })], clock.nowMs(), { onConflict: 'replace' })
      logIssued(record)
    }
    if (record.state !== 'valid' || registry.isBlocked(record.lfdi!)) return undefined
    // Told again: the process may have died between the commit and the telling.
    await tell([record])
    return issuedOf(record, true)
  }

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
            if (state !== 'pending' || keyHash !== asked.keyHash) await documents.insertMany([enrolmentDocument(body)], clock.nowMs(), { onConflict: 'replace' })
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
      const stored = await documents.replace(enrolmentDocument(body), clock.nowMs(), document.version)
      log.info({ audit: 'enrolment decided', id, decision, by, clause: 'SEP-226' }, 'enrolment decided')
      return stored.body
    },
  }

  async function batchPart(jobs: readonly Job[]): Promise<Map<Job, Issued | string>> {
    const known = await byIds<EnrolmentRecord>(Kind.enrolment, jobs.map((j) => enrolmentId(j.vendor.name, j.hwSerialNum)))
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

const issuedOf = (record: CertificateRecord, repeated: boolean): Issued =>
  ({ kind: 'issued', der: Buffer.from(record.der, 'base64'), lfdi: record.lfdi!, sfdi: record.sfdi!, pin: record.pin, hwSerialNum: record.hwSerialNum, repeated })

const nameOf = (requester: Requester): string =>
  requester.kind === 'vendor' ? `vendor:${requester.vendor.name}` : requester.kind === 'secret' ? `secret:${requester.secret.hwSerialNum}` : `device:${requester.device.lfdi}`

/** SEP-224, SEC-020: a requester gets a certificate for the serial number that it may speak for, and for no other. */
function serialAskedFor(asked: string | undefined, requester: Requester): string {
  const own = requester.kind === 'secret' ? requester.secret.hwSerialNum : requester.kind === 'device' ? requester.device.hwSerialNum : undefined
  if (own !== undefined && asked !== undefined && asked !== own) throw new Refusal('invalid', 'the hwSerialNum of the request is not the one that was authorised')
  const serial = own ?? asked
  if (serial === undefined) throw new Refusal('invalid', 'the request names no hwSerialNum')
  return checkSerial(serial)
}

/** hwType lies below the vendor's enterprise number; once issued, a device keeps its type. */
function hwTypeAskedFor(asked: string | undefined, vendor: VendorRecord, record: EnrolmentRecord | undefined): string {
  const arc = penArc(vendor.pen)
  if (asked !== undefined && asked !== arc && !asked.startsWith(`${arc}.`)) throw new Refusal('invalid', `the hwType of the request is not below ${arc}`)
  if (record?.certificate && asked !== undefined && asked !== record.hwType) throw new Refusal('invalid', 'the hwType of the request is not the one of this device')
  return asked ?? record?.hwType ?? hwTypeOf(vendor.pen)
}

/** SEP-227: Subject and subjectAltName of the request equal those of the current certificate. */
function otherIdentity(request: Parameters<typeof hardwareModuleName>[0] & { readonly subject: { readonly raw: Buffer } }, current: CertificateView): string | undefined {
  if (!request.subject.raw.equals(current.subject.raw)) return 'the Subject of the request is not that of the current certificate'
  const san = (of: Pick<CertificateView, 'extensions'>): Buffer | undefined => of.extensions.find((e) => e.oid === Oid.subjectAltName)?.value
  const [wanted, own] = [san(request), san(current)]
  return wanted && own && wanted.equals(own) ? undefined : 'the subjectAltName of the request is not that of the current certificate'
}

/** The last third of a finite life. */
const endsSoon = (current: CertificateView, nowMs: number): boolean => nowMs > current.notAfterMs - (current.notAfterMs - current.notBeforeMs) / 3

function jobOf(row: BatchRow, vendor: VendorRecord, requester: string): Job | string {
  try {
    const base = { vendor, requester, replaces: null }
    if ('csr' in row) {
      const der = fromPem('CERTIFICATE REQUEST', row.csr)[0] ?? Buffer.from(row.csr, 'base64')
      const asked = checkDeviceRequest(der)
      return { ...base, hwType: hwTypeAskedFor(asked.hwType, vendor, undefined), hwSerialNum: serialAskedFor(asked.hwSerialNum, { kind: 'vendor', vendor }), publicKey: asked.publicKey, keyHash: asked.keyHash, csr: der.toString('base64') }
    }
    // SEP-232: a list of keys has no proof of possession; the vendor's own certificate vouches for it.
    const spki = fromPem('PUBLIC KEY', row.publicKey)[0] ?? Buffer.from(row.publicKey, 'base64')
    if (spki.length !== 91 || spki.length > longestRequest) return 'the public key is not an EC P-256 one'
    const curve = readDer(spki).children[0]?.children[1]?.content.toString('hex')
    const key = { spki, algorithm: Oid.ecPublicKey, curve: Oid.prime256v1 }
    if (curve !== '2a8648ce3d030107') return 'the public key is not an EC P-256 one'
    publicKeyOf(key)
    const why = guessableKey(key)
    if (why) return `the key is refused: ${why}`
    return { ...base, hwType: hwTypeAskedFor(row.hwType, vendor, undefined), hwSerialNum: checkSerial(row.hwSerialNum), publicKey: spki, keyHash: keyHashOf(spki), csr: null }
  } catch (error) {
    if (isRefusal(error)) return error.message
    throw error
  }
}

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
