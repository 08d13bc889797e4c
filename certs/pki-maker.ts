import type { KeyObject } from 'node:crypto'
import type { Ids } from '#core/port/ids.js'
import { createIntermediate, createRoot, createSerca, indefinite, issueClient, issueDevice, issueTlsServer, serialFrom } from '#certs/authority.js'
import type { Authority, Validity } from '#certs/authority.js'
import { lfdiOf, pinFromHex, sfdiOf } from '#certs/lfdi.js'
import type { NameParts } from '#certs/x509/issue.js'
import { Policy } from '#certs/x509/oid.js'
import { keySigner, spkiOf } from '#certs/x509/signer.js'
import { revocationUrls } from '#certs/station.js'

export interface DeviceIdentity {
  readonly lfdi: string
  readonly sfdi: number
  readonly pin: number
}

/** RFC 5612: enterprise number for documentation; production sites set their own vendors' numbers. */
export const seedPen = 32473
export const seedHwType = `1.3.6.1.4.1.${seedPen}.1`
const organization = 'Loadstone'
export const day = 86_400_000

export interface MakerNeeds {
  readonly ids: Ids
  readonly nowMs: number
  /**
   * When certificates must hold. TLS looks at the machine's clock while a demonstration may live in another year: give a
   * range that covers both. Default: from a day ago, ordinary ones for ten years.
   */
  readonly validity?: Validity
  /** Where charging stations' certificates may be asked about (`StationCaNeeds.publicUrl`). */
  readonly publicUrl?: string
}

export const identityOf = (der: Buffer, ids: Ids): DeviceIdentity => {
  const lfdi = lfdiOf(der)
  return { lfdi, sfdi: sfdiOf(lfdi), pin: pinFromHex(ids.hex(8)) }
}

export type Maker = ReturnType<typeof makerOf>

/** How each certificate of the folder is made. */
export function makerOf(needs: MakerNeeds) {
  const fromMs = needs.validity?.fromMs ?? needs.nowMs - day
  const ordinary: Validity = { fromMs, toMs: needs.validity?.toMs ?? needs.nowMs + 3652 * day }
  const lasting: Validity = { fromMs, toMs: indefinite }
  const serial = (): string => serialFrom(needs.ids.hex(16))
  const nameOf = (commonName: string): NameParts => [{ O: [organization] }, { CN: [commonName] }, { '2.5.4.5': [needs.ids.hex(4)] }]
  const ca = (commonName: string) => ({ serial: serial(), validity: lasting, subject: nameOf(commonName) })
  return {
    ordinary, lasting, identity: (der: Buffer) => identityOf(der, needs.ids),
    tlsRoot: async (key: KeyObject) => createRoot(ca('Loadstone TLS Root'), keySigner(key)),
    ocppRoot: async (key: KeyObject) => createRoot(ca('Loadstone OCPP Root'), keySigner(key)),
    serca: async (key: KeyObject) => createSerca(ca('IEEE 2030.5 Root'), keySigner(key)),
    mca: async (serca: Authority, key: KeyObject) => createIntermediate('MCA', serca, ca('IEEE 2030.5 MCA'), keySigner(key)),
    mica: async (serca: Authority, key: KeyObject) => createIntermediate('MICA', serca, ca('IEEE 2030.5 MICA'), keySigner(key)),
    tlsServer: (issuer: Authority, key: KeyObject, names: readonly string[], rsa: boolean) =>
      issueTlsServer(issuer, { serial: serial(), publicKey: spkiOf(key), names, organization, validity: ordinary, rsa }),
    device: (mica: Authority, key: KeyObject, hwSerialNum: string, policies: readonly string[] = [Policy.generic]) =>
      issueDevice(mica, { serial: serial(), publicKey: spkiOf(key), hwType: seedHwType, hwSerialNum, policies, validity: lasting }),
    client: (issuer: Authority, key: KeyObject, commonName: string) =>
      issueClient(issuer, { serial: serial(), publicKey: spkiOf(key), commonName, organization, validity: ordinary }),
    station: (issuer: Authority, key: KeyObject, commonName: string) =>
      issueClient(issuer, { serial: serial(), publicKey: spkiOf(key), commonName, organization, validity: ordinary, ...revocationUrls(needs.publicUrl) }),
  }
}

