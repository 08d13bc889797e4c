import type { KeyObject } from 'node:crypto'
import type { Extension } from '#certs/x509/certificate.js'
import { explicit, integer, oid, sequence, set, utf8 } from '#certs/x509/der.js'
import { extensionDer, hardwareModuleNameExtension, keyUsageExtension } from '#certs/x509/extensions.js'
import { signed } from '#certs/x509/issue.js'
import { Oid } from '#certs/x509/oid.js'
import { keySigner } from '#certs/x509/signer.js'

/** PKCS#10 (RFC 2986) from our side: `cert enroll`, simulated devices and tests. */
export async function makeRequest(key: KeyObject, ask: {
  readonly subject?: readonly { readonly oid: string; readonly text: string }[]
  readonly extensions?: readonly Extension[]
}): Promise<Buffer> {
  const signer = keySigner(key)
  const name = sequence(...(ask.subject ?? []).map((a) => set(sequence(oid(a.oid), utf8(a.text)))))
  const attributes = ask.extensions && ask.extensions.length > 0 ? [sequence(oid(Oid.extensionRequest), set(sequence(...ask.extensions.map(extensionDer))))] : []
  return signed(sequence(integer(0), name, signer.publicKey, explicit(0, ...attributes)), signer)
}

/** What a 2030.5 device asks for: its hardwareModuleName and keyUsage (SEP-224). */
export const deviceRequest = (key: KeyObject, name: { readonly hwType: string; readonly hwSerialNum: string }): Promise<Buffer> => makeRequest(key, {
  extensions: [hardwareModuleNameExtension(name.hwType, Buffer.from(name.hwSerialNum, 'utf8')), keyUsageExtension('digitalSignature', 'keyAgreement')],
})

