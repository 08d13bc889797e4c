import { X509Certificate } from 'node:crypto'
import { sameCertificate } from '#csms/effect/certificates.js'
import type { HashData, Station } from '#csms/station.js'
import { when, type Check } from './rule.js'

const read = (pem: string): X509Certificate | undefined => {
  try {
    return new X509Certificate(pem)
  } catch {
    return undefined
  }
}

/** M05 (OCPP-214): with AdditionalRootCertificateCheck a new CSMS root is signed by the one before it. */
export function installCertificateRule(station: Station, r: { certificateType: string; certificate: string }): Check[] {
  if (r.certificateType !== 'CSMSRootCertificate' || station.actual('SecurityCtrlr', 'AdditionalRootCertificateCheck') !== 'true') return []
  const before = read(station.record.csmsRoot ?? ''), next = read(r.certificate)
  if (!before || !next || before.fingerprint256 === next.fingerprint256) return []
  return when(!next.checkIssued(before) || !next.verify(before.publicKey), 'OCPP-214', 'the new CSMS root is not signed by the one in the station')
}

/** M04 (OCPP-215): the hash algorithm is the one that the station used; its own certificate is never deleted. */
export function deleteCertificateRule(station: Station, { certificateHashData: d }: { certificateHashData: HashData }): Check[] {
  const known = (station.record.installed ?? []).map((c) => c.certificateHashData)
  const serial = (h: HashData): boolean => h.serialNumber.toLowerCase() === d.serialNumber.toLowerCase()
  return [
    ...when(known.some(serial) && !known.some((h) => sameCertificate(h, d)), 'M04.FR.07', 'not the hash that the station reported'),
    ...when(station.certificate?.serialNumber?.toLowerCase() === d.serialNumber.toLowerCase().replace(/^0+/, ''), 'OCPP-215', 'the station\'s own certificate is never deleted'),
  ]
}
