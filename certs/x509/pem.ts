import { Refusal } from '#core/error.js'

export function toPem(label: string, der: Uint8Array): string {
  const lines = Buffer.from(der).toString('base64').replaceAll(/(.{64})(?=.)/g, '$1\n')
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`
}

export const certificatePem = (der: Uint8Array): string => toPem('CERTIFICATE', der)

/** Every block with that label, in order. */
export function fromPem(label: string, text: string): Buffer[] {
  const blocks = new RegExp(`-----BEGIN ${label}-----([A-Za-z0-9+/=\\s]*)-----END ${label}-----`, 'g')
  return [...text.matchAll(blocks)].map((found) => Buffer.from(found[1]!, 'base64'))
}

/** Certificates from PEM or DER, one or many. */
export function certificatesFrom(input: string | Uint8Array): Buffer[] {
  const text = typeof input === 'string' ? input : Buffer.from(input).toString('latin1')
  if (text.includes('-----BEGIN CERTIFICATE-----')) return fromPem('CERTIFICATE', text)
  if (typeof input !== 'string' && input[0] === 0x30) return [Buffer.from(input)]
  throw new Refusal('invalid', 'neither a PEM nor a DER certificate')
}
