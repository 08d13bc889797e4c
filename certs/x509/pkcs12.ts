import { createHash, createHmac, randomBytes } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { explicit, integer, nul, octetString, oid, sequence, set } from '#certs/x509/der.js'
import { Oid } from '#certs/x509/oid.js'

const data = '1.2.840.113549.1.7.1', shroudedKeyBag = '1.2.840.113549.1.12.10.1.2', certBag = '1.2.840.113549.1.12.10.1.3'
const x509Certificate = '1.2.840.113549.1.9.22.1', localKeyId = '1.2.840.113549.1.9.21'
const iterations = 10_000

/**
 * Key and chain in one file (RFC 7292): the key as PBES2/AES-256, integrity by HMAC-SHA-256. node-forge writes these for
 * RSA keys only, so this is our own. Certificates are public and stay unencrypted.
 */
export function pkcs12(key: KeyObject, chain: readonly Buffer[], passphrase: string): Buffer {
  const id = createHash('sha1').update(chain[0]!).digest()
  const linked = set(sequence(oid(localKeyId), set(octetString(id))))
  const shrouded = key.export({ type: 'pkcs8', format: 'der', cipher: 'aes-256-cbc', passphrase })
  const keys = sequence(sequence(oid(shroudedKeyBag), explicit(0, shrouded), linked))
  const certificates = sequence(...chain.map((der, i) => sequence(oid(certBag), explicit(0, sequence(oid(x509Certificate), explicit(0, octetString(der)))), ...(i === 0 ? [linked] : []))))
  const contentInfo = (content: Buffer): Buffer => sequence(oid(data), explicit(0, octetString(content)))
  const safe = sequence(contentInfo(certificates), contentInfo(keys))
  const salt = randomBytes(16), mac = createHmac('sha256', macKey(passphrase, salt)).update(safe).digest()
  return sequence(integer(3), contentInfo(safe), sequence(sequence(sequence(oid(Oid.sha256), nul()), octetString(mac)), octetString(salt), integer(iterations)))
}

/** RFC 7292 Appendix B.2 with purpose 3 and SHA-256; one block is all that is needed. */
function macKey(passphrase: string, salt: Buffer): Buffer {
  const block = 64
  const fill = (bytes: Buffer): Buffer => Buffer.alloc(block * Math.ceil(bytes.length / block), bytes)
  const password = Buffer.from(`${passphrase}\0`, 'utf16le').swap16()
  let digest = Buffer.concat([Buffer.alloc(block, 3), fill(salt), fill(password)])
  for (let i = 0; i < iterations; i++) digest = createHash('sha256').update(digest).digest()
  return digest
}
