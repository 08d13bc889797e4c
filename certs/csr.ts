import { createHash } from 'node:crypto'
import { Refusal } from '#core/error.js'
import { requestFailures } from '#certs/profile/request-rules.js'
import { attributeOf, hardwareModuleName, hwSerialText, readRequest } from '#certs/x509/certificate.js'
import type { RequestView } from '#certs/x509/certificate.js'
import { Oid } from '#certs/x509/oid.js'

/** What a device's request says, once it is believed. */
export interface CheckedRequest {
  readonly publicKey: Buffer
  readonly keyHash: string
  readonly hwType?: string
  readonly hwSerialNum?: string
  /** Subject, as DER, and the SAN's value, for simplereenroll (SEP-227). */
  readonly view: RequestView
}

/** Larger than any request for a P-256 key; giant ones are refused before anything is read (SEC-027). */
export const longestRequest = 16_384

/**
 * SEP-224: well formed, P-256, signed with ecdsa-with-SHA256 by its own key, which nobody else can guess. What else
 * it asks for (CA, other usages, years of life) is not even looked at: the profile decides (SEC-020).
 */
export function checkDeviceRequest(der: Uint8Array): CheckedRequest {
  if (der.length > longestRequest) throw new Refusal('tooLarge', 'the request is too large')
  const view = readRequest(der)
  const [first] = requestFailures(view)
  if (first) throw new Refusal('invalid', `${first.sentence} (${first.rule}, ${first.clause})`)
  const name = hardwareModuleName(view)
  // Interpretation: a request without a SAN may name the device in Subject serialNumber, as vendors' tools do.
  const hwSerialNum = name ? hwSerialText(name) : attributeOf(view.subject, Oid.serialNumber)
  return {
    view, publicKey: view.key.spki, keyHash: keyHashOf(view.key.spki),
    ...(name ? { hwType: name.hwType } : {}), ...(hwSerialNum === undefined ? {} : { hwSerialNum }),
  }
}

export const keyHashOf = (spki: Uint8Array): string => createHash('sha256').update(spki).digest('hex')
