import { readFileSync } from 'node:fs'
import { dirname, isAbsolute, join } from 'node:path'
import { lfdiOf } from '#certs/lfdi.js'
import { certificatesFrom } from '#certs/x509/pem.js'
import { Refusal } from '#core/error.js'
import type { Subject } from '#conformance/procedure.js'
import type { Target } from '#conformance/runner.js'

/** The file of `--config`, JSON or YAML; its form is in conformance/README.md. Paths ending in File are read, relative to the file. */
export interface TargetFile {
  readonly target?: string
  /** Where a profile has an address of its own. */
  readonly targets?: Readonly<Record<string, string>>
  readonly profile?: string
  readonly capabilities?: readonly string[]
  /** Names for `${…}` in procedures: client ids, secrets, station ids, LFDIs … */
  readonly values?: Readonly<Record<string, unknown>>
  /** TLS material by name: `{cert|certFile, key|keyFile, ca|caFile, ciphers?, insecure?}`. */
  readonly identities?: Readonly<Record<string, Readonly<Record<string, unknown>>>>
}

export const defaultProfile: Readonly<Record<Subject, string>> = { vtn: '3.1.1', csip: 'csip', csms: '2.0.1', est: 'rfc7030', ven: '3.1.1' }

export async function readTargetFile(path: string): Promise<TargetFile> {
  const text = readFileSync(path, 'utf8')
  const value: unknown = path.endsWith('.json') ? JSON.parse(text) : (await import('yaml')).parse(text)
  if (typeof value !== 'object' || value === null) throw new Refusal('invalid', `${path} does not hold a target description; see conformance/README.md`)
  return value as TargetFile
}

/** Where the run goes and what it may use: flags over the file, the file over a saved ready line. */
export function makeTarget(subject: Subject, given: { url?: string; profile?: string; file?: TargetFile; fileDir?: string; ready?: TargetFile }): Target {
  const { file = {}, ready = {} } = given
  const profile = given.profile ?? file.profile ?? ready.profile ?? defaultProfile[subject]
  const url = given.url ?? file.targets?.[profile] ?? file.target ?? ready.targets?.[profile] ?? ready.target
  if (!url) throw new Refusal('invalid', `Say what to test: --target URL, a 'target' in --config FILE, or --from a saved ready line.`)
  return {
    url, subject,
    profile,
    capabilities: new Set([...(file.capabilities ?? ready.capabilities ?? []), ...(file.values?.['command'] ?? ready.values?.['command'] ? ['started-by-runner'] : [])]),
    values: {
      ...(subject === 'csip' ? lfdis({ ...identities(ready.identities, '.'), ...identities(file.identities, given.fileDir ?? '.') }) : {}),
      ...(subject === 'csms' ? ofVersion(profile) : {}), ...(subject === 'vtn' ? basicOf({ ...ready.values, ...file.values }) : {}), ...(subject === 'csip' ? { dcap: '/dcap', prefix: '', ausNs: profile === 'csip-aus-1.3' ? 'https://csipaus.org/ns/v1.3' : 'https://csipaus.org/ns' } : {}), ...ready.values, ...file.values,
      identities: { ...identities(ready.identities, '.'), ...identities(file.identities, given.fileDir ?? '.') },
    },
  }
}

/** HTTP Basic of the first VEN, from its id and secret. */
const basicOf = ({ ven_id, ven_secret }: Readonly<Record<string, unknown>>): Record<string, string> => (typeof ven_id === 'string' && typeof ven_secret === 'string' ? { ven_basic: Buffer.from(`${ven_id}:${ven_secret}`).toString('base64') } : {})

/** What procedures for every OCPP version need to know of the one under test. */
const ofVersion = (version: string): Record<string, unknown> => ({
  subprotocol: `ocpp${version}`,
  bootPayload: version === '1.6' ? { chargePointVendor: 'Conformance', chargePointModel: 'M1' } : { reason: 'PowerUp', chargingStation: { vendorName: 'Conformance', model: 'M1' } },
})

/** `lfdi1` of the certificate of `device-1`, `lfdiA` of that of `aggregator-1`: nobody need write down what a hash says (SEP-060). */
function lfdis(all: Readonly<Record<string, Readonly<Record<string, unknown>>>>): Record<string, string> {
  const of = Object.entries(all).flatMap(([name, { cert }]) => {
    const word = /^device-(\d+)$/.exec(name)?.[1] ?? (name === 'aggregator-1' ? 'A' : undefined)
    const [der] = word && typeof cert === 'string' ? certificatesFrom(cert) : []
    return der ? [[`lfdi${word as string}`, lfdiOf(der)] as const] : []
  })
  return Object.fromEntries(of)
}

function identities(all: TargetFile['identities'], dir: string): Record<string, Record<string, unknown>> {
  return Object.fromEntries(Object.entries(all ?? {}).map(([name, parts]) => [name, Object.fromEntries(Object.entries(parts).map(([key, value]) =>
    key.endsWith('File') ? [key.slice(0, -4), readFileSync(isAbsolute(String(value)) ? String(value) : join(dir, String(value)), 'utf8')] : [key, value]))]))
}

export const directoryOf = (path: string): string => dirname(path)

/** A client under test that the runner starts itself meets a VTN of its own in each procedure, and mostly waits: several at once. Servers are asked one thing at a time. */
export const lanesOf = (target: Target): number => (target.subject === 'ven' && target.values['command'] !== undefined && target.values['listen'] === undefined ? 4 : 1)
