import type { Clock } from '#core/port/clock.js'
import type { Ids } from '#core/port/ids.js'
import type { Log } from '#core/port/log.js'
import type { Document, DocumentStore } from '#core/port/store/document.js'
import { indefinite, planDevice, serialFrom, signed } from '#certs/authority.js'
import type { Authority } from '#certs/authority.js'
import type { Job } from '#certs/enrolment-job.js'
import { lfdiOf, pinFromHex, sfdiOf } from '#certs/lfdi.js'
import { certificateDocument, enrolmentDocument, enrolmentId, Kind } from '#certs/record.js'
import type { CertificateRecord, EnrolmentRecord, KeyRecord } from '#certs/record.js'
import type { CertificateRegistry } from '#certs/registry.js'
import { expected } from '#certs/vendor.js'
import { authorityKeyIdentifier, readCertificate } from '#certs/x509/certificate.js'
import { keyIdentifierOf } from '#certs/x509/extensions.js'
import { Policy } from '#certs/x509/oid.js'

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

export interface IssuingNeeds {
  readonly documents: DocumentStore
  readonly tenant: string
  readonly registry: CertificateRegistry
  /** Who signs now: asked each time, so that a replaced MICA signs nothing more after a reload (SEP-212). */
  readonly mica: () => Authority
  readonly registration: Registration
  readonly clock: Clock
  readonly ids: Ids
  readonly log: Log
  /** How long certificates hold; null = indefinite (SEP-225). Default null. */
  readonly lifetimeMs?: number | null
}

/** The steps from a checked request to a certificate on record, and back to it when a process died between two of them. */
export interface Issuing {
  /** Refusals by job: a key belongs to one device for ever (SEC-021). */
  claimKeys(jobs: readonly Job[]): Promise<Map<Job, string>>
  issue(jobs: readonly Job[], known: Map<string, Document<EnrolmentRecord>>): Promise<Map<Job, Issued>>
  /** What is on record for this device and key; undefined = nothing yet, or nothing that holds. */
  recorded(document: Document<EnrolmentRecord> | undefined, keyHash: string): Promise<Issued | undefined>
  /** Enrolments by id. */
  known(ids: readonly string[]): Promise<Map<string, Document<EnrolmentRecord>>>
}

const issuedOf = (record: CertificateRecord, repeated: boolean): Issued =>
  ({ kind: 'issued', der: Buffer.from(record.der, 'base64'), lfdi: record.lfdi!, sfdi: record.sfdi!, pin: record.pin, hwSerialNum: record.hwSerialNum, repeated })

/** Identifier of the key that signed a certificate on record, hex. */
const issuerKeyOf = (record: CertificateRecord): string | undefined => authorityKeyIdentifier(readCertificate(Buffer.from(record.der, 'base64')))

export function buildIssuing(needs: IssuingNeeds): Issuing {
  const { documents, tenant, registry, mica, registration, clock, ids, log } = needs
  // Interpretation: SEP-202 leaves notBefore open. The issuer's own start serves devices whose clock lags, and machines whose
  // TLS looks at another clock than ours (a time-lapse run).
  const begins = (by: Authority): number => readCertificate(by.certificate).notBeforeMs
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
    const now = clock.nowMs(), by = mica(), fromMs = begins(by)
    const planned = await Promise.all(jobs.map(async (job) => {
      const before = known.get(enrolmentId(job.vendor.name, job.hwSerialNum))
      const serial = serialFrom(ids.hex(16)), pin = before?.body.pin ?? pinFromHex(ids.hex(8))
      const validity = { fromMs, toMs: needs.lifetimeMs ? Math.floor((now + needs.lifetimeMs) / 1000) * 1000 : indefinite }
      const tbs = await planDevice(by, {
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
    await documents.insertMany<unknown>(planned.flatMap((p) => [enrolmentDocument(tenant, p.enrolment), certificateDocument(tenant, p.record)]), now, { onConflict: 'replace' })
    const made = await Promise.all(planned.map(async (p) => ({ ...p, record: await finish(p.record, by) })))
    await documents.insertMany<unknown>(made.flatMap((p) => [certificateDocument(tenant, p.record), enrolmentDocument(tenant, { ...p.enrolment, state: 'issued' })]), now, { onConflict: 'replace' })
    await tell(made.map((p) => p.record))
    for (const { record } of made) logIssued(record)
    return new Map(made.map(({ job, record }) => [job, issuedOf(record, false)]))
  }

  /** Signs what is on record; `by` is whom it names as its issuer. */
  async function finish(record: CertificateRecord, by: Authority): Promise<CertificateRecord> {
    const der = await signed(Buffer.from(record.der, 'base64'), by.signer), lfdi = lfdiOf(der)
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
      const by = mica(), finished = await finish(record, by)
      // what was to be signed names the key that signs: after another has taken its place, the request begins anew
      if (issuerKeyOf(finished) !== keyIdentifierOf(readCertificate(by.certificate).key.spki).toString('hex').toUpperCase()) return undefined
      record = finished
      await documents.insertMany<unknown>([certificateDocument(tenant, record), enrolmentDocument(tenant, { ...enrolment, state: 'issued' })], clock.nowMs(), { onConflict: 'replace' })
      logIssued(record)
    }
    const issuer = issuerKeyOf(record)
    if (record.state !== 'valid' || registry.isBlocked(record.lfdi!) || (issuer !== undefined && registry.isBlocked(issuer))) return undefined
    // Told again: the process may have died between the commit and the telling.
    await tell([record])
    return issuedOf(record, true)
  }

  return { claimKeys, issue, recorded, known: (wanted) => byIds<EnrolmentRecord>(Kind.enrolment, wanted) }
}
