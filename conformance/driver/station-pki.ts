import { generateKeyPairSync, X509Certificate, type KeyObject } from 'node:crypto'
import { spkiOf } from '#certs/x509/signer.js'
import { makeRequest } from '#certs/x509/request.js'
import type { Action, RunContext } from '#conformance/runner.js'

const keys = new WeakMap<RunContext, Map<string, KeyObject>>()

/** `pki.csr {as, cn, o, broken?}` → `{pem}`: a station's PKCS#10 request (OCPP-037), with a signature that does not hold where `broken`. */
export const csr: Action = async (args, context) => {
  const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
  keys.set(context, (keys.get(context) ?? new Map()).set(String(args.as), key))
  const der = Buffer.from(await makeRequest(key, { subject: [{ oid: '2.5.4.10', text: String(args.o) }, { oid: '2.5.4.3', text: String(args.cn) }] }))
  if (args.broken) der[der.length - 4] = (der.at(-4) as number) ^ 0xff
  return { pem: `-----BEGIN CERTIFICATE REQUEST-----\n${(der.toString('base64').match(/.{1,64}/g) ?? []).join('\n')}\n-----END CERTIFICATE REQUEST-----\n` }
}

/** `pki.chain {of, pem}` → `{count, sameKey, cn, o}` of the first certificate in PEM text. */
export const chain: Action = async (args, context) => {
  const all = String(args.pem).match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? []
  if (!all[0]) return { count: 0 }
  const leaf = new X509Certificate(all[0]), key = keys.get(context)?.get(String(args.of))
  const part = (name: string): string | undefined => new RegExp(`^${name}=(.*)$`, 'm').exec(leaf.subject)?.[1]
  return { count: all.length, sameKey: key !== undefined && Buffer.from(leaf.publicKey.export({ type: 'spki', format: 'der' })).equals(spkiOf(key)), cn: part('CN'), o: part('O') }
}
