import { Refusal } from '#core/error.js'
import { Oid } from '#certs/x509/oid.js'
import { oid, readDer, sequence, set } from '#certs/x509/der.js'
import { longestRequest } from '#certs/csr.js'

/** RFC 7030 §3.2.2: the operations by path segment, their method, and what they carry. Not listed = not served (SEC-023). */
export const operations = {
  cacerts: { method: 'GET', authenticated: false },
  csrattrs: { method: 'GET', authenticated: false },
  simpleenroll: { method: 'POST', authenticated: true },
  simplereenroll: { method: 'POST', authenticated: true },
  // SEP-229: known, not built: a key made by a server has been seen by two.
  serverkeygen: { method: 'POST', authenticated: false },
  fullcmc: { method: 'POST', authenticated: false },
} as const

export type Operation = keyof typeof operations
export const isOperation = (text: string): text is Operation => Object.hasOwn(operations, text)

export const certsOnlyType = 'application/pkcs7-mime; smime-type=certs-only'
export const csrAttrsType = 'application/csrattrs'

/** SEP-222, RFC 8951 §3: base64 in one line, no CR and no LF. */
export const encodeBody = (der: Buffer): string => der.toString('base64')

/** SEP-222: base64 with any white space, or plain DER (0x30 at the front is "0", which no base64 of a SEQUENCE begins with). */
export function decodeBody(body: Buffer): Buffer {
  if (body.length === 0) throw new Refusal('invalid', 'the body is empty: send a PKCS#10 request')
  if (body[0] === 0x30) return checked(body)
  const text = body.toString('latin1').replaceAll(/\s/g, '')
  if (text.startsWith('-----BEGIN')) throw new Refusal('invalid', 'send the base64 of the DER without the PEM header and footer')
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text) || text.length % 4 !== 0) throw new Refusal('invalid', 'the body is neither base64 nor DER')
  return checked(Buffer.from(text, 'base64'))
}

function checked(der: Buffer): Buffer {
  if (der.length > longestRequest) throw new Refusal('tooLarge', 'the request is too large')
  readDer(der)
  return der
}

/**
 * SEP-228, RFC 8951 §3.1 / RFC 7030 §4.5.2: an EC key on P-256, ecdsa-with-SHA256, and a request for extensions with a
 * subjectAltName.
 */
export const csrAttrs = (): Buffer => sequence(
  sequence(oid(Oid.ecPublicKey), set(oid(Oid.prime256v1))),
  oid(Oid.ecdsaWithSHA256),
  sequence(oid(Oid.extensionRequest), set(oid(Oid.subjectAltName))),
)
