import type { Bus } from '#core/port/bus.js'
import type { Clock } from '#core/port/clock.js'
import type { AvailabilityIntake, DeliveryHappenings, ReadingIntake, ResourceDirectory } from '#core/port/intake.js'
import type { Ids } from '#core/port/ids.js'
import type { Log } from '#core/port/log.js'
import type { DocumentStore } from '#core/port/store/document.js'
import type { VendorMessages } from './message/data-transfer.js'
import type { CsmsConfig } from './config.js'

/** Signs station and EV supply certificates (OCPP-037); `main.ts` gives the one that `certs/` has. */
export interface CertificateSigner {
  /** The chain in PEM, leaf first, or why the request is refused. */
  sign(request: { csr: string; station: string; serialNumber: string | undefined; kind: 'ChargingStationCertificate' | 'V2GCertificate' }): Promise<{ chain: string } | { refused: string }>
}

/** OCSP for GetCertificateStatus (OCPP-216) and the contract-certificate pool (OCPP-217): plug-ins. */
export interface VehicleCertificates {
  ocsp?(request: Readonly<Record<string, unknown>>): Promise<{ ocspResult: string } | undefined>
  exchange?(request: { iso15118SchemaVersion: string; action: string; exiRequest: string }): Promise<{ exiResponse: string } | undefined>
}

/** What the server is built from; each file takes the slice that it uses. */
export interface CsmsNeeds {
  readonly documents: DocumentStore
  /** Other processes over the same data; absent = this is the only one. */
  readonly bus?: Bus
  readonly readings: ReadingIntake
  readonly happenings: DeliveryHappenings
  readonly availability: AvailabilityIntake
  readonly directory: ResourceDirectory
  readonly clock: Clock
  readonly ids: Ids
  readonly log: Log
  readonly config: CsmsConfig
  readonly signer?: CertificateSigner
  /** Is the station certificate with this fingerprint (as `lfdiOf`) revoked? */
  readonly revoked?: (fingerprint: string) => boolean
  readonly vehicles?: VehicleCertificates
  /** DataTransfer plug-ins by vendorId (OCPP-225). */
  readonly vendors?: ReadonlyMap<string, VendorMessages>
}
