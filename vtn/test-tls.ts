import { certificatePem, createRoot, issueTlsServer, keySigner, newEcKey, serialFrom, spkiOf, tlsIdentity } from '#certs/index.js'
import { randomIds } from '#core/port/ids.js'

/** A root and a server certificate for localhost, made when a test asks; no key is ever committed. */
export async function makeTlsPair(): Promise<{ key: string; cert: string; ca: string }> {
  const ids = randomIds(() => 0), validity = { fromMs: 0, toMs: Date.UTC(2090, 0) }
  const root = await createRoot({ serial: serialFrom(ids.hex(16)), subject: [{ CN: ['test root'] }], validity }, keySigner(newEcKey()))
  const key = newEcKey()
  const leaf = await issueTlsServer(root, { serial: serialFrom(ids.hex(16)), publicKey: spkiOf(key), names: ['localhost', '127.0.0.1'], organization: 'test', validity })
  return { ...tlsIdentity(root, key, leaf), ca: certificatePem(root.certificate) }
}
