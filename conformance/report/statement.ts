import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { calculateJwkThumbprint, exportJWK, FlattenedSign, flattenedVerify, importJWK, type FlattenedJWS, type JWK } from 'jose'
import type { Report, Verdict } from '#conformance/procedure.js'

/** What the signature stands for: who was tested, by what, and every verdict (UX-036). */
export interface Statement {
  readonly form: 'loadstone-statement/1'
  readonly target: string; readonly subject: string; readonly profile: string; readonly seed: number; readonly startedAt: string
  readonly summary: Readonly<Record<Verdict, number>>
  readonly results: readonly { readonly id: string; readonly verdict: Verdict }[]
  readonly versions: Readonly<Record<string, string>>
  /** SHA-256 of the procedures as data: two statements with the same digest asked the same. */
  readonly procedures: string
}

/** SHA-256 of procedures as data: what was asked. */
export const digestOf = (procedures: readonly object[]): string => createHash('sha256').update(JSON.stringify(procedures)).digest('hex')

export const statementOf = (report: Report, procedures: readonly object[], versions: Readonly<Record<string, string>>): Statement => ({
  form: 'loadstone-statement/1', target: report.target, subject: report.subject, profile: report.profile, seed: report.seed, startedAt: report.startedAt,
  summary: report.summary, results: report.results.map(({ id, verdict }) => ({ id, verdict })), versions,
  procedures: digestOf(procedures),
})

/** The signer's key: PEM, EC P-256 or Ed25519; made when the file is not there yet, readable by its owner only. */
export function statementKey(file: string): KeyObject {
  if (!existsSync(file)) writeFileSync(file, generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600, flag: 'wx' })
  return createPrivateKey(readFileSync(file, 'utf8'))
}

const algorithm = (key: KeyObject): string => (key.asymmetricKeyType === 'ed25519' ? 'EdDSA' : 'ES256')

/** A flattened JWS (RFC 7515) whose header carries the public key: any JOSE library reads it. */
export async function signStatement(statement: Statement, key: KeyObject): Promise<FlattenedJWS> {
  const jwk = await exportJWK(createPublicKey(key))
  return new FlattenedSign(Buffer.from(JSON.stringify(statement))).setProtectedHeader({ alg: algorithm(key), typ: 'loadstone-statement+json', jwk, kid: await calculateJwkThumbprint(jwk) }).sign(key)
}

/** The statement and who signed it; throws when the signature does not hold, or when `expected` is another key than the signer's. */
export async function readStatement(text: string, expected?: string): Promise<{ statement: Statement; signer: string }> {
  const jws = JSON.parse(text) as FlattenedJWS
  const { payload, protectedHeader } = await flattenedVerify(jws, async (header) => importJWK(header?.['jwk'] as JWK, header?.alg), { algorithms: ['EdDSA', 'ES256'] })
  const signer = await calculateJwkThumbprint(protectedHeader?.['jwk'] as JWK)
  if (expected !== undefined && await calculateJwkThumbprint(await exportJWK(createPublicKey(expected))) !== signer) throw new Error('it is signed by another key')
  return { statement: JSON.parse(Buffer.from(payload).toString()) as Statement, signer }
}
