import { isRefusal } from '#core/error.js'
import type { Clock } from '#core/port/clock.js'
import type { Ids } from '#core/port/ids.js'
import type { Log } from '#core/port/log.js'
import type { DocumentStore } from '#core/port/store/document.js'
import { issueClient, sentChain, serialFrom } from '#certs/authority.js'
import type { Authority } from '#certs/authority.js'
import { keyHashOf, longestRequest } from '#certs/csr.js'
import { lfdiOf } from '#certs/lfdi.js'
import { provesPossession, weakKey } from '#certs/profile/station.js'
import { guessableKey } from '#certs/profile/weak-key.js'
import { Kind } from '#certs/record.js'
import type { KeyRecord } from '#certs/record.js'
import type { CertificateRegistry, RevocationReason } from '#certs/registry.js'
import type { Ledger } from '#certs/revocation.js'
import { attributeOf, readCertificate, readRequest } from '#certs/x509/certificate.js'
import type { RequestView } from '#certs/x509/certificate.js'
import { Oid } from '#certs/x509/oid.js'
import { certificatePem, fromPem } from '#certs/x509/pem.js'

const kind = 'certs/StationCertificate'

/** Document id = serial number, key = fingerprint once signed, owner = station. */
export interface StationCertificateRecord {
  readonly serial: string
  readonly station: string
  readonly fingerprint: string | null
  readonly der: string | null
  readonly keyHash: string
  readonly notAfterMs: number
  readonly revokedAtMs: number | null
  readonly reason: RevocationReason | null
}

export interface StationCa {
  /** SignCertificate of a station (OCPP-036, OCPP-037): a chain in PEM, leaf first, or why not. */
  sign(request: { readonly csr: string; readonly station: string; readonly serialNumber: string | undefined; readonly kind: string }): Promise<{ readonly chain: string } | { readonly refused: string }>
  revoke(fingerprint: string, reason: RevocationReason, by: string): Promise<boolean>
  /** Takes a certificate that this authority made without a request, a seed's; a known one stays as it is. */
  adopt(der: Uint8Array, station: string): Promise<void>
  /** For CRL and OCSP. */
  readonly ledger: Ledger
}

export interface StationCaNeeds {
  readonly authority: Authority
  readonly documents: DocumentStore
  readonly tenant: string
  readonly registry: CertificateRegistry
  readonly clock: Clock
  readonly ids: Ids
  readonly log: Log
  /** O of every station certificate. */
  readonly organization: string
  /** Default 365 days. */
  readonly lifetimeMs?: number
  /** Where stations' certificates may be asked about, without a trailing slash. */
  readonly publicUrl?: string
}

/** The built-in CA for charging stations; sites with a CA of their own give the CSMS another signer. */
export function buildStationCa(needs: StationCaNeeds): StationCa {
  const { authority, documents, tenant, registry, clock, ids, log } = needs
  let changes = 0
  const document = (body: StationCertificateRecord) => ({ tenant, kind, id: body.serial, parent: '', key: body.fingerprint, owner: body.station, sort1: body.notAfterMs, body })
  const entry = (r: StationCertificateRecord) => ({ serial: r.serial, atMs: r.revokedAtMs ?? 0, reason: r.reason ?? 'unspecified' })

  async function issue(view: RequestView, commonName: string, station: string): Promise<Buffer> {
    const now = clock.nowMs(), keyHash = keyHashOf(view.key.spki)
    const mine = await documents.list<StationCertificateRecord>(tenant, { kind, owner: station, where: { keyHash } })
    const same = mine.find(({ body }) => body.der !== null && body.revokedAtMs === null && body.notAfterMs - now > 30 * 86_400_000)
    // OCPP-038: a repeated request in progress gets the certificate that there is, not a second one.
    if (same) return Buffer.from(same.body.der!, 'base64')
    const serial = serialFrom(ids.hex(16)), toMs = now + (needs.lifetimeMs ?? 365 * 86_400_000)
    const record: StationCertificateRecord = { serial, station, fingerprint: null, der: null, keyHash, notAfterMs: toMs, revokedAtMs: null, reason: null }
    // SEC-025: on record before it is signed.
    await documents.insertMany([document(record)], now)
    const der = await issueClient(authority, {
      serial, publicKey: view.key.spki, commonName, organization: needs.organization, validity: { fromMs: now - 3_600_000, toMs },
      ...revocationUrls(needs.publicUrl),
    })
    await documents.insertMany([document({ ...record, fingerprint: lfdiOf(der), der: der.toString('base64') })], now, { onConflict: 'replace' })
    log.info({ audit: 'certificate issued', serial, fingerprint: lfdiOf(der), station, clause: 'OCPP 2.0.1 Part 2 A02' }, 'station certificate issued')
    return der
  }

  /** SEC-021: a key belongs to one station or device for ever. */
  async function keyRefused(keyHash: string, station: string): Promise<string | undefined> {
    await documents.insertMany<KeyRecord>([{ tenant, kind: Kind.key, id: keyHash, parent: '', body: { vendor: 'ocpp', hwSerialNum: station, compromised: false } }], clock.nowMs(), { onConflict: 'skip' })
    const key = await documents.get<KeyRecord>(tenant, Kind.key, keyHash)
    if (key?.body.compromised) return 'the key was revoked as compromised'
    return key && key.body.vendor === 'ocpp' && key.body.hwSerialNum === station ? undefined : 'the key belongs to another station'
  }

  return {
    async sign({ csr, station, serialNumber, kind: wanted }) {
      if (wanted !== 'ChargingStationCertificate') return { refused: `the built-in CA does not issue ${wanted}` }
      try {
        const der = fromPem('CERTIFICATE REQUEST', csr)[0]
        if (!der || der.length > longestRequest) return { refused: 'the CSR is not PEM' }
        const view = readRequest(der), commonName = serialNumber ?? station
        const fault = requestFault(view, commonName, needs.organization) ?? await keyRefused(keyHashOf(view.key.spki), station)
        if (fault) return { refused: fault }
        return { chain: [await issue(view, commonName, station), ...sentChain(authority)].map(certificatePem).join('') }
      } catch (error) {
        if (isRefusal(error)) return { refused: error.message }
        throw error
      }
    },
    async revoke(fingerprint, reason, by) {
      const found = await documents.byKey<StationCertificateRecord>(tenant, kind, '', fingerprint.toUpperCase())
      if (!found) return false
      await registry.block({ id: fingerprint, what: 'certificate', reason, by })
      changes += 1
      if (found.body.revokedAtMs === null) await documents.replace(document({ ...found.body, revokedAtMs: clock.nowMs(), reason }), clock.nowMs(), found.version)
      const key = reason === 'keyCompromise' ? await documents.get<KeyRecord>(tenant, Kind.key, found.body.keyHash) : undefined
      if (key) await documents.replace<KeyRecord>({ ...key, body: { ...key.body, compromised: true } }, clock.nowMs())
      return true
    },
    async adopt(der, station) {
      const { serial, notAfterMs, key } = readCertificate(der)
      const record: StationCertificateRecord = { serial: serial.toUpperCase(), station, fingerprint: lfdiOf(der), der: Buffer.from(der).toString('base64'), keyHash: keyHashOf(key.spki), notAfterMs, revokedAtMs: null, reason: null }
      await documents.insertMany([document(record)], clock.nowMs(), { onConflict: 'skip' })
    },
    ledger: {
      authority,
      get changes() { return changes },
      async statusOf(serial) {
        const found = await documents.get<StationCertificateRecord>(tenant, kind, serial)
        return found && (found.body.revokedAtMs === null ? {} : { revoked: entry(found.body) })
      },
      revoked: async () => (await documents.list<StationCertificateRecord>(tenant, { kind })).filter((d) => d.body.revokedAtMs !== null).map((d) => entry(d.body)),
    },
  }
}

/** What a certificate of this authority says of where to ask about it; nothing while nobody can be asked. */
export const revocationUrls = (publicUrl: string | undefined): { ocspUrl?: string; crlUrl?: string } => (publicUrl ? { ocspUrl: `${publicUrl}/ocsp`, crlUrl: `${publicUrl}/crl/ocpp.crl` } : {})

/** OCPP-037: signature, key strength, CN = serial number, O = operator. What else is asked for does not matter (SEC-020). */
function requestFault(view: RequestView, commonName: string, organization: string): string | undefined {
  const weak = weakKey(view.key)
  if (weak) return `the CSR has ${weak}`
  if (!provesPossession(view)) return 'the signature of the CSR is wrong or weaker than SHA-256'
  const guessable = guessableKey(view.key)
  if (guessable) return `the key is refused: ${guessable}`
  if (attributeOf(view.subject, Oid.commonName) !== commonName) return `the CN of the CSR is not the serial number ${commonName}`
  return attributeOf(view.subject, Oid.organizationName) === organization ? undefined : `O of the CSR is not ${organization}`
}
