import { X509Certificate } from 'node:crypto'
import { Refusal } from '#core/error.js'
import type { Clock } from '#core/port/clock.js'
import type { DeviceCertificates } from '#core/program/claim.js'
import { checkDeviceCertificate, type DoorProfile } from '#certs/index.js'
import { penOf } from '#certs/vendor.js'
import type { Certificates } from '#main/certificates.js'
import type { Settings } from '#cli/settings.js'

/** CORE-026: a device certificate of a manufacturer that is known here, in core's words. */
export function deviceCertificates({ certificates, machine, settings, production }: { certificates: Certificates; machine: Clock; settings: Settings; production: boolean }): DeviceCertificates {
  return async (pem) => {
    const certificate = parsed(pem)
    const found = checkDeviceCertificate(certificate.raw, { profile: settings.csipProfile as DoorProfile, trust: certificates.trust(), nowMs: machine.nowMs(), production, blocked: certificates.registry.isBlocked })
    if (!found.ok) throw new Refusal('forbidden', 'this device certificate is refused', { faults: found.failures.map((f) => ({ path: f.clause, reason: f.sentence })) })
    const maker = await certificates.vendors.byPen(penOf(found.hwType ?? '') ?? -1)
    if (!maker) throw new Refusal('forbidden', 'the manufacturer of this certificate is not known here')
    return { lfdi: found.lfdi, maker: maker.name, serial: found.hwSerialNum ?? found.serial, publicKey: certificate.publicKey.export({ type: 'spki', format: 'pem' }).toString() }
  }
}

function parsed(pem: string): X509Certificate {
  try { return new X509Certificate(pem) } catch { throw new Refusal('invalid', 'this is not a certificate', { faults: [{ path: '/certificate', reason: 'is not PEM of an X.509 certificate' }] }) }
}
