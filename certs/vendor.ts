import { Refusal } from '#core/error.js'
import type { Clock } from '#core/port/clock.js'
import type { Ids } from '#core/port/ids.js'
import type { DocumentStore } from '#core/port/store/document.js'
import { pinFromHex } from '#certs/lfdi.js'
import { enrolmentId, Kind } from '#certs/record.js'
import type { EnrolmentRecord, SecretRecord, VendorRecord } from '#certs/record.js'
import { secretDigest } from '#certs/seal.js'
import { Oid } from '#certs/x509/oid.js'

/** Makers of devices, and the one-time secrets with which their devices enrol. */
export interface Vendors {
  get(name: string): Promise<VendorRecord | undefined>
  byFingerprint(fingerprint: string): Promise<VendorRecord | undefined>
  byPen(pen: number): Promise<VendorRecord | undefined>
  list(): Promise<readonly VendorRecord[]>
  put(vendor: VendorRecord): Promise<VendorRecord>
  /** New secrets of 128 bits, told once; each speaks for one serial number of one vendor until it is used or expires (SEC-024). */
  addSecrets(vendor: string, serials: readonly (string | { readonly hwSerialNum: string; readonly secret: string })[], ttlMs?: number): Promise<readonly { readonly hwSerialNum: string; readonly secret: string; readonly expiresAtMs: number }[]>
  /** The secret that fits user (= hwSerialNum) and password, used or not; undefined for a wrong or expired one. */
  secret(hwSerialNum: string, password: string): Promise<{ readonly id: string; readonly version: number; readonly body: SecretRecord } | undefined>
  useSecret(id: string, keyHash: string): Promise<void>
}

const defaultTtlMs = 30 * 86_400_000

/** Printable ASCII without colon, which HTTP Basic cannot carry in a user name (RFC 7617 §2); no slash, our ids use it. */
export function checkSerial(hwSerialNum: string): string {
  if (!/^[\x21-\x7e]{1,64}$/.test(hwSerialNum) || /[:/]/.test(hwSerialNum)) throw new Refusal('invalid', 'a hwSerialNum has 1 to 64 visible ASCII characters without ":" and "/"')
  return hwSerialNum
}

export const penArc = (pen: number): string => `${Oid.privateEnterprise}.${pen}`
export const hwTypeOf = (pen: number): string => `${penArc(pen)}.1`
export const penOf = (hwType: string): number | undefined => {
  const found = /^1\.3\.6\.1\.4\.1\.(\d{1,10})(\.|$)/.exec(hwType)
  return found ? Number(found[1]) : undefined
}

export function buildVendors({ documents, tenant, clock, ids }: { readonly documents: DocumentStore; readonly tenant: string; readonly clock: Clock; readonly ids: Ids }): Vendors {
  let kept: { readonly revision: number; readonly vendors: VendorRecord[] } | undefined
  /** Few and rarely changed, asked for on every request: kept until the store's counter of this kind moves. */
  async function all(): Promise<VendorRecord[]> {
    const revision = documents.revision(tenant, Kind.vendor)
    if (kept?.revision === revision) return kept.vendors
    const found = (await documents.list<VendorRecord>(tenant, { kind: Kind.vendor, order: ['id'] })).map((d) => d.body)
    kept = { revision, vendors: found }
    return found
  }
  return {
    get: async (name) => (await all()).find((v) => v.name === name),
    byFingerprint: async (fingerprint) => (await all()).find((v) => v.active && v.fingerprints.includes(fingerprint)),
    byPen: async (pen) => (await all()).find((v) => v.active && v.pen === pen),
    list: all,
    async put(vendor) {
      if (!/^[\w.-]{1,64}$/.test(vendor.name)) throw new Refusal('invalid', 'a vendor name has 1 to 64 letters, digits, "-", "." or "_"')
      if (!Number.isInteger(vendor.pen) || vendor.pen < 1 || vendor.pen > 0xffffffff) throw new Refusal('invalid', 'a PEN is a number from 1 to 4294967295')
      const [stored] = await documents.insertMany<VendorRecord>([{ tenant, kind: Kind.vendor, id: vendor.name, parent: '', key: vendor.name, body: vendor }], clock.nowMs(), { onConflict: 'replace' })
      kept = undefined
      return stored?.body ?? vendor
    },
    async addSecrets(name, serials, ttlMs = defaultTtlMs) {
      const vendor = (await documents.get<VendorRecord>(tenant, Kind.vendor, name))?.body
      if (!vendor) throw new Refusal('notFound', `there is no vendor ${name}`)
      const now = clock.nowMs()
      const made = serials.map((s) => typeof s === 'string' ? { hwSerialNum: checkSerial(s), secret: ids.hex(16) } : { hwSerialNum: checkSerial(s.hwSerialNum), secret: s.secret })
        .map((s) => ({ ...s, expiresAtMs: now + ttlMs }))
      await documents.insertMany<EnrolmentRecord>(made.map(({ hwSerialNum }) => ({
        tenant, kind: Kind.enrolment, id: enrolmentId(name, hwSerialNum), parent: name, key: hwSerialNum, body: expected(name, hwTypeOf(vendor.pen), hwSerialNum, pinFromHex(ids.hex(8))),
      })), now, { onConflict: 'skip' })
      await documents.insertMany<SecretRecord>(made.map(({ hwSerialNum, secret, expiresAtMs }) => ({
        tenant, kind: Kind.secret, id: secretDigest(secret), parent: name, key: null, owner: hwSerialNum, sort1: expiresAtMs, body: { vendor: name, hwSerialNum, expiresAtMs, usedFor: null },
      })), now, { onConflict: 'skip' })
      return made
    },
    async secret(hwSerialNum, password) {
      const found = await documents.get<SecretRecord>(tenant, Kind.secret, secretDigest(password))
      return found && found.body.hwSerialNum === hwSerialNum && clock.nowMs() < found.body.expiresAtMs ? found : undefined
    },
    async useSecret(id, keyHash) {
      const found = await documents.get<SecretRecord>(tenant, Kind.secret, id)
      if (!found || (found.body.usedFor !== null && found.body.usedFor !== keyHash)) throw new Refusal('unauthenticated', 'the secret was used already')
      if (found.body.usedFor === null) await documents.replace<SecretRecord>({ ...found, body: { ...found.body, usedFor: keyHash } }, clock.nowMs(), found.version)
    },
  }
}

export const expected = (vendor: string, hwType: string, hwSerialNum: string, pin: number): EnrolmentRecord =>
  ({ vendor, hwType, hwSerialNum, state: 'expected', pin, keyHash: null, csr: null, certificate: null, requester: '', decidedBy: null, reason: null })
