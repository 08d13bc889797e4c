import { serverNow } from '../../session.ts'

export interface Vendor {
  id: string
  name: string
  pen: number
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

export const days = (c: Certificate): number => Math.floor((Date.parse(c.notAfter) - serverNow()) / 86_400_000)
