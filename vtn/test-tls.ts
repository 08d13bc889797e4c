import 'reflect-metadata'
import { webcrypto } from 'node:crypto'

/** A key and a self-signed certificate for localhost, made when a test asks; no key is ever committed. */
export async function makeTlsPair(): Promise<{ key: string; cert: string }> {
  const { cryptoProvider, PemConverter, SubjectAlternativeNameExtension, X509CertificateGenerator } = await import('@peculiar/x509')
  cryptoProvider.set(webcrypto as never)
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const cert = await X509CertificateGenerator.createSelfSigned({
    name: 'CN=localhost', keys: keys as never, signingAlgorithm: algorithm, notBefore: new Date(0), notAfter: new Date(4e12),
    extensions: [new SubjectAlternativeNameExtension([{ type: 'dns', value: 'localhost' }, { type: 'ip', value: '127.0.0.1' }])],
  })
  const key = PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY')
  return { key, cert: cert.toString('pem') }
}
