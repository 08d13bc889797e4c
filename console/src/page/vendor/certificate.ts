import { serverNow } from '../../session.ts'

export interface Vendor {
  id: string
  name: string
  pen: number
  fingerprints: string[]
  approval: string
  policy: string
  active: boolean
}

export interface Waiting {
  id: string
  vendor: string
  hwType: string
  hwSerialNum: string
  requester: string
  state: string
  csr: string | null
}

export interface Certificate {
  id: string
  serial: string
  lfdi: string | null
  state: string
  vendor: string
  hwSerialNum: string
  notAfter: string
  notBefore: string
  revokedAt: string | null
  reason: string | null
}

/** A device certificate without an end says 9999-12-31 (RFC 5280 §4.1.2.5, IEEE 2030.5). */
export const endless = (c: Certificate): boolean => c.notAfter.startsWith('9999-')
/** Whole days until it ends; null where that says nothing: it has no end, or it does not hold any more. */
export const daysLeft = (c: Certificate): number | null => (c.state !== 'valid' || endless(c) ? null : Math.floor((Date.parse(c.notAfter) - serverNow()) / 86_400_000))
export const endsSoon = (c: Certificate): boolean => (daysLeft(c) ?? Infinity) <= 30
