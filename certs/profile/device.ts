import { isRefusal } from '#core/error.js'
import { lfdiOf, sfdiOf } from '#certs/lfdi.js'
import { deviceRules } from '#certs/profile/device-rules.js'
import { failuresOf } from '#certs/profile/rule.js'
import type { Failure } from '#certs/profile/rule.js'
import { findPath, lenient } from '#certs/profile/trust.js'
import type { Leniency, Trust } from '#certs/profile/trust.js'
import { hardwareModuleName, hwSerialText, policies, readCertificate, subjectKeyIdentifier } from '#certs/x509/certificate.js'

/** The door's profile (contract §3). CSIP-AUS issuers are forgiven what SEP-206 lists, others only by a switch on their CA. */
export type DoorProfile = 'csip' | 'csip-aus-1.2' | 'csip-aus-1.3' | 'generic'

export interface DeviceCheck {
  readonly profile: DoorProfile
  readonly trust: Trust
  readonly nowMs: number
  /** Certificates that came with the leaf (SEP-205). */
  readonly sent?: readonly Uint8Array[]
  /** Default true. */
  readonly production?: boolean
  readonly pinned?: ReadonlySet<string>
  readonly blocked?: (id: string) => boolean
}

export interface AcceptedDevice {
  readonly ok: true
  readonly lfdi: string
  readonly sfdi: number
  readonly serial: string
  /** Vendor lookup by enterprise number, kept on the device record (SEP-211); absent under the dnsName leniency. */
  readonly hwType?: string
  readonly hwSerialNum?: string
  readonly policies: readonly string[]
  readonly notBeforeMs: number
  readonly notAfterMs: number
  /** Key identifiers of the CAs above, issuer first (SEP-213). */
  readonly issuers: readonly string[]
}

/** What the certificate says the device is (SEP-211). */
export const hardwareIn = ({ hwType, hwSerialNum }: AcceptedDevice): { hwType: string; hwSerialNum: string } | undefined => (hwType === undefined || hwSerialNum === undefined ? undefined : { hwType, hwSerialNum })

export interface RefusedDevice {
  readonly ok: false
  /** Absent when the bytes are no certificate. */
  readonly lfdi?: string
  readonly failures: readonly Failure[]
}

/**
 * Leaf and chain against the device profile, every failing rule named (SEP-201 … SEP-208, SEP-213). Pure; call it once a
 * connection and keep the answer with the socket (SEP-006), but look at expiry and revocation on each request (SEC-007).
 */
export function checkDeviceCertificate(der: Uint8Array, check: DeviceCheck): AcceptedDevice | RefusedDevice {
  const lfdi = lfdiOf(der)
  try {
    const leaf = readCertificate(der)
    const path = findPath(leaf, check.trust, check.sent)
    const leniency = leniencyOf(check.profile, path?.map((ca) => ca.leniency) ?? [])
    const failures = failuresOf(deviceRules, {
      leaf, lfdi, path, leniency, nowMs: check.nowMs, production: check.production ?? true,
      pinned: check.pinned ?? new Set(), blocked: check.blocked ?? (() => false),
    })
    if (failures.length > 0) return { ok: false, lfdi, failures }
    const name = hardwareModuleName(leaf)
    return {
      ok: true, lfdi, sfdi: sfdiOf(lfdi), serial: leaf.serial, policies: policies(leaf), notBeforeMs: leaf.notBeforeMs, notAfterMs: leaf.notAfterMs,
      ...(name ? { hwType: name.hwType, hwSerialNum: hwSerialText(name) } : {}),
      issuers: path?.flatMap((ca) => subjectKeyIdentifier(ca.view) ?? []) ?? [],
    }
  } catch (error) {
    if (!isRefusal(error)) throw error
    return { ok: false, failures: [{ rule: 'malformed', clause: 'RFC 5280 §4.1; SEC-027', sentence: `The certificate cannot be read: ${error.message}.`, remedy: 'Send one DER certificate, strictly encoded, without bytes after it.' }] }
  }
}

function leniencyOf(profile: DoorProfile, onPath: readonly Leniency[]): Leniency {
  return Object.assign({}, profile.startsWith('csip-aus') ? lenient : {}, ...onPath) as Leniency
}
