import { guessableKey } from '#certs/profile/weak-key.js'
import { provesPossession } from '#certs/profile/station.js'
import type { Failure } from '#certs/profile/rule.js'
import { publicKeyOf } from '#certs/x509/certificate.js'
import type { KeyView, RequestView } from '#certs/x509/certificate.js'
import { Oid } from '#certs/x509/oid.js'

interface RequestRule {
  readonly rule: string
  readonly clause: string
  readonly remedy: string
  readonly fails: (request: RequestView) => string | undefined
}

// 91 octets: the point uncompressed. A compressed spelling of a known key would be another hash (SEC-021).
const p256 = ({ algorithm, curve, spki }: KeyView): boolean => algorithm === Oid.ecPublicKey && curve === Oid.prime256v1 && spki.length === 91
const onCurve = (key: KeyView): boolean => { try { publicKeyOf(key); return true } catch { return false } }
const newKey = 'Make a new key with curve P-256 (openssl ecparam -name prime256v1 -genkey) and a request for it.'

/** SEP-224: what a device's request must be, whoever sends it. What it wishes for beyond that is not looked at (SEC-020). */
export const requestRules: readonly RequestRule[] = [
  { rule: 'keyAlgorithm', clause: 'SEP-224, SEP-201', remedy: newKey, fails: ({ key }) => p256(key) ? undefined : 'the key is not EC P-256' },
  { rule: 'keyPoint', clause: 'SEP-224; SEC-021', remedy: newKey, fails: ({ key }) => !p256(key) || onCurve(key) ? undefined : 'the key is not a point of P-256' },
  {
    rule: 'signatureAlgorithm', clause: 'SEP-224, SEP-201', remedy: 'Sign the request with ecdsa-with-SHA256 (openssl req -sha256).',
    fails: ({ signatureAlgorithm }) => signatureAlgorithm === Oid.ecdsaWithSHA256 ? undefined : 'the request is not signed with ecdsa-with-SHA256',
  },
  {
    rule: 'possession', clause: 'SEP-224; RFC 2986 §3', remedy: 'Sign the request with the private half of the key in it, and change nothing afterwards.',
    fails: (request) => !onCurve(request.key) || provesPossession(request) ? undefined : 'the signature of the request is wrong',
  },
  {
    rule: 'guessableKey', clause: 'SEC-021', remedy: newKey,
    fails: ({ key }) => { const why = onCurve(key) ? guessableKey(key) : undefined; return why && `the key is refused: ${why}` },
  },
]

/** Every rule that it fails. */
export const requestFailures = (request: RequestView): Failure[] => requestRules.flatMap(({ rule, clause, remedy, fails }) => {
  const sentence = fails(request)
  return sentence === undefined ? [] : [{ rule, clause, sentence, remedy }]
})
