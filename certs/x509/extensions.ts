import { createHash } from 'node:crypto'
import { isIP, isIPv4 } from 'node:net'
import { bitString, boolean, child, explicit, implicit, integer, octetString, oid, readDer, sequence, tlv } from '#certs/x509/der.js'
import { usageNames } from '#certs/x509/certificate.js'
import type { Extension } from '#certs/x509/certificate.js'
import { Oid } from '#certs/x509/oid.js'

/** Extensions as the profiles write them. */
type Usage = (typeof usageNames)[number]

export function keyUsageExtension(...usages: readonly Usage[]): Extension {
  const bits = usages.map((u) => usageNames.indexOf(u)), last = Math.max(...bits)
  const bytes = Buffer.alloc((last >> 3) + 1)
  for (const bit of bits) bytes[bit >> 3]! |= 0x80 >> (bit & 7)
  return { oid: Oid.keyUsage, critical: true, value: bitString(bytes, 7 - (last & 7)) }
}

export const basicConstraintsExtension = (pathLen?: number): Extension =>
  ({ oid: Oid.basicConstraints, critical: true, value: sequence(boolean(true), ...(pathLen === undefined ? [] : [integer(pathLen)])) })

export const policiesExtension = (policies: readonly string[], critical = true): Extension =>
  ({ oid: Oid.certificatePolicies, critical, value: sequence(...policies.map((p) => sequence(oid(p)))) })

export const extKeyUsageExtension = (...purposes: readonly string[]): Extension =>
  ({ oid: Oid.extKeyUsage, critical: false, value: sequence(...purposes.map(oid)) })

/** RFC 5280 §4.2.1.2 method 1: SHA-1 over the key's bits (an identifier, not a protection). */
export const keyIdentifierOf = (spki: Buffer): Buffer =>
  createHash('sha1').update(child(readDer(spki), 1).content.subarray(1)).digest()

export const subjectKeyIdentifierExtension = (id: Buffer): Extension =>
  ({ oid: Oid.subjectKeyIdentifier, critical: false, value: octetString(id) })

export const authorityKeyIdentifierExtension = (id: Buffer): Extension =>
  ({ oid: Oid.authorityKeyIdentifier, critical: false, value: sequence(implicit(0, id)) })

/** RFC 4108 §5 otherName in a critical subjectAltName, since the Subject is empty (RFC 5280 §4.2.1.6, SEP-202). */
export const hardwareModuleNameExtension = (hwType: string, hwSerialNum: Uint8Array, critical = true): Extension => ({
  oid: Oid.subjectAltName, critical,
  value: sequence(explicit(0, oid(Oid.hardwareModuleName), explicit(0, sequence(oid(hwType), octetString(hwSerialNum))))),
})

export const hostNamesExtension = (names: readonly string[]): Extension => ({
  oid: Oid.subjectAltName, critical: false,
  value: sequence(...names.map((name) => isIP(name) ? implicit(7, addressBytes(name)) : tlv(0x82, Buffer.from(name, 'latin1')))),
})

export function addressBytes(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number))
  const plain = address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, a, b, c, d) =>
    `${((Number(a) << 8) | Number(b)).toString(16)}:${((Number(c) << 8) | Number(d)).toString(16)}`)
  const [head = '', tail] = plain.split('::')
  const groups = (text: string): string[] => text === '' ? [] : text.split(':')
  const before = groups(head), after = groups(tail ?? '')
  const all = tail === undefined ? before : [...before, ...Array<string>(8 - before.length - after.length).fill('0'), ...after]
  return Buffer.from(all.map((g) => g.padStart(4, '0')).join(''), 'hex')
}

export const crlDistributionPointExtension = (url: string): Extension =>
  ({ oid: Oid.cRLDistributionPoints, critical: false, value: sequence(sequence(explicit(0, explicit(0, tlv(0x86, Buffer.from(url, 'latin1')))))) })

export const ocspUrlExtension = (url: string): Extension =>
  ({ oid: Oid.authorityInfoAccess, critical: false, value: sequence(sequence(oid(Oid.ocsp), tlv(0x86, Buffer.from(url, 'latin1')))) })

/** PKCS#10 attribute value and CRL lists write extensions in this form too. */
export const extensionDer = (e: Extension): Buffer =>
  sequence(oid(e.oid), ...(e.critical ? [boolean(true)] : []), octetString(e.value))

