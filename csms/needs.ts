import type { Bus } from '#core/port/bus.js'
import type { Clock } from '#core/port/clock.js'
import type { AvailabilityIntake, DeliveryHappenings, ReadingIntake, ResourceDirectory, UntoldIntake } from '#core/port/intake.js'
import type { Ids } from '#core/port/ids.js'
import type { Log } from '#core/port/log.js'
import type { DocumentStore } from '#core/port/store/document.js'
import type { VendorMessages } from './message/data-transfer.js'
import type { MeterSignatures } from './meter-signature.js'
import type { CsmsConfig } from './config.js'
import type { CrlFetch } from './crl.js'
import type { OcspFetch } from './ocsp.js'
import type { Payments } from './payments.js'
import type { UploadStore } from './upload.js'

/** Signs station and EV supply certificates (OCPP-037); `main.ts` gives the one that `certs/` has. */
export interface CertificateSigner {
  /** The chain in PEM, leaf first, or why the request is refused. */
  sign(request: { csr: string; station: string; serialNumber: string | undefined; kind: 'ChargingStationCertificate' | 'V2GCertificate' }): Promise<{ chain: string } | { refused: string }>
}

/** The contract-certificate pool (OCPP-217): a plug-in. */
export interface VehicleCertificates {
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
  /** Told of stations that still have messages of transactions to send; absent: nobody waits for them (OCPP-141). */
  readonly untold?: UntoldIntake
  readonly clock: Clock
  readonly ids: Ids
  readonly log: Log
  readonly config: CsmsConfig
  readonly signer?: CertificateSigner
  /** Is the station certificate with this fingerprint (as `lfdiOf`) revoked? */
  readonly revoked?: (fingerprint: string) => boolean
  readonly vehicles?: VehicleCertificates
  /** Card and web payment, VAT numbers, battery swaps at 2.1 stations; what is absent is NotSupported (OCPP-266). */
  readonly payments?: Payments
  /** Every frame as it passes; its text, secrets masked, is made for who asks (UX-077). */
  readonly heard?: (tenant: string, station: string, at: number, direction: 'in' | 'out', text: () => string) => void
  /** How OCSP responders are reached; absent: they are not (OCPP-216). */
  readonly ocspFetch?: OcspFetch
  /** How revocation lists are fetched; absent: they are not (M07 of 2.1). */
  readonly crlFetch?: CrlFetch
  /** Where stations' logs are kept; absent: nothing is taken in (OCPP-220). */
  readonly uploads?: UploadStore
  /** Verifies signed meter values by signing method or encoding (OCPP-174). */
  readonly meterSignatures?: MeterSignatures
  /** DataTransfer plug-ins by vendorId (OCPP-225). */
  readonly vendors?: ReadonlyMap<string, VendorMessages>
}
