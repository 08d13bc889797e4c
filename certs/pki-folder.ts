import { chmod, mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { KeyObject } from 'node:crypto'
import { Refusal } from '#core/error.js'
import type { Ids } from '#core/port/ids.js'
import type { Log } from '#core/port/log.js'
import {
  authorityFrom, createIntermediate, createRoot, createSerca, indefinite, issueClient, issueDevice, issueDevices, issueTlsServer, serialFrom, tlsIdentity, wholeChain,
} from '#certs/authority.js'
import type { Authority, IssuedDevice, TlsIdentity, Validity } from '#certs/authority.js'
import { lfdiOf, pinFromHex, sfdiOf } from '#certs/lfdi.js'
import { sealFrom } from '#certs/seal.js'
import type { Seal } from '#certs/seal.js'
import { altNames, readCertificate } from '#certs/x509/certificate.js'
import type { NameParts } from '#certs/x509/issue.js'
import { certificatePem, certificatesFrom } from '#certs/x509/pem.js'
import { Policy } from '#certs/x509/oid.js'
import { keyFromPem, keyPem, keySigner, newEcKey, newRsaKey, spkiOf } from '#certs/x509/signer.js'

export interface DeviceIdentity {
  readonly lfdi: string
  readonly sfdi: number
  readonly pin: number
}

export interface EstSeed {
  readonly vendor: string
  readonly pen: number
  readonly secrets: readonly { readonly secret: string; readonly hwSerialNum: string }[]
}

/** Everything that the doors need to speak TLS, and the authorities that issue. */
export interface PkiFolder {
  readonly dir: string
  readonly tls: { readonly ca: string; readonly authority: Authority; readonly ec: TlsIdentity; readonly rsa: TlsIdentity }
  readonly csip: {
    readonly serca: string
    /** PEMs for `ca` of the listener: roots and intermediates, since devices may send only their leaf (SEP-205). */
    readonly trust: readonly string[]
    readonly mica: Authority
    readonly server: TlsIdentity
    /** LFDI of our own certificate (SelfDevice). */
    readonly serverLfdi: string
  }
  readonly ocpp: { readonly ca: string; readonly authority: Authority }
  /** name → LFDI, SFDI, PIN of the certificates that a seed hands out; empty otherwise. */
  readonly devices: Readonly<Record<string, DeviceIdentity>>
  /** Only in the conformance seed. */
  readonly est?: EstSeed
  /** Fresh device certificates below the MICA, for a simulated fleet. */
  issueDevices(serials: readonly string[]): Promise<readonly (IssuedDevice & DeviceIdentity)[]>
}

export interface PkiNeeds {
  readonly ids: Ids
  readonly nowMs: number
  readonly log: Log
  /** Host names and addresses of the ordinary server certificates, besides localhost, 127.0.0.1 and ::1. */
  readonly names?: readonly string[]
  readonly seed?: 'conformance' | 'demo'
  /** Sealing key from configuration; without it one is made and kept in the folder, with a warning. */
  readonly sealingKey?: string | Uint8Array
  /**
   * When certificates must hold. TLS looks at the machine's clock while a demonstration may live in another year: give a
   * range that covers both. Default: from a day ago, ordinary ones for ten years.
   */
  readonly validity?: Validity
}

/** RFC 5612: enterprise number for documentation; production sites set their own vendors' numbers. */
export const seedPen = 32473
const seedHwType = `1.3.6.1.4.1.${seedPen}.1`
const organization = 'Loadstone'
const day = 86_400_000
const ordinaryNames = ['localhost', '127.0.0.1', '::1']
const seedDevices = ['device-1', 'device-2', 'device-3', 'device-4', 'device-5', 'aggregator-1']

/**
 * The folder `pki/` of a data folder: made on first start, read again later (contract §4). Directory 0700, private keys
 * 0600 and sealed, except where the conformance seed hands them out. The SERCA's key goes to `offline/`: the server never
 * reads it again (SEC-026).
 */
export async function preparePki(dir: string, needs: PkiNeeds): Promise<PkiFolder> {
  const files = await openFolder(dir, needs)
  const maker = makerOf(needs)
  const open = needs.seed === 'conformance'

  const tlsRoot = await authority(files, 'tls-ca', false, maker.tlsRoot)
  const ocppRoot = await authority(files, 'ocpp-ca', open, maker.ocppRoot)
  const mica = await micaOf(files, open, maker)

  const names = [...new Set([...ordinaryNames, ...needs.names ?? []])]
  const serverFits = (der: Buffer): boolean => covers(der, names, maker.ordinary)
  const ec = await leaf(files, 'tls-server', open, async () => newEcKey(), (key) => maker.tlsServer(tlsRoot, key, names, false), serverFits)
  const rsa = await leaf(files, 'tls-server-rsa', open, () => newRsaKey(), (key) => maker.tlsServer(tlsRoot, key, names, true), serverFits)
  const server = await leaf(files, 'server', open, async () => newEcKey(), (key) => maker.device(mica, key, 'server-1'))

  const devices = open ? await seedFiles(files, maker, mica, tlsRoot, ocppRoot) : {}
  const est = open ? await estSeed(files, needs) : undefined
  return {
    dir,
    tls: { ca: certificatePem(tlsRoot.certificate), authority: tlsRoot, ec: tlsIdentity(tlsRoot, ec.key, ec.der), rsa: tlsIdentity(tlsRoot, rsa.key, rsa.der) },
    csip: {
      serca: certificatePem(wholeChain(mica).at(-1)!), trust: wholeChain(mica).map(certificatePem), mica,
      server: tlsIdentity(mica, server.key, server.der), serverLfdi: lfdiOf(server.der),
    },
    ocpp: { ca: certificatePem(ocppRoot.certificate), authority: ocppRoot },
    devices, ...(est ? { est } : {}),
    async issueDevices(serials) {
      const made = await issueDevices(mica, serials, { hwType: seedHwType, validity: maker.lasting, random: () => needs.ids.hex(16) })
      return made.map((m) => ({ ...m, ...identityOf(m.der, needs.ids) }))
    },
  }
}

const identityOf = (der: Buffer, ids: Ids): DeviceIdentity => {
  const lfdi = lfdiOf(der)
  return { lfdi, sfdi: sfdiOf(lfdi), pin: pinFromHex(ids.hex(8)) }
}

type Maker = ReturnType<typeof makerOf>

/** How each certificate of the folder is made. */
function makerOf(needs: PkiNeeds) {
  const fromMs = needs.validity?.fromMs ?? needs.nowMs - day
  const ordinary: Validity = { fromMs, toMs: needs.validity?.toMs ?? needs.nowMs + 3652 * day }
  const lasting: Validity = { fromMs, toMs: indefinite }
  const serial = (): string => serialFrom(needs.ids.hex(16))
  const nameOf = (commonName: string): NameParts => [{ O: [organization] }, { CN: [commonName] }, { '2.5.4.5': [needs.ids.hex(4)] }]
  const ca = (commonName: string) => ({ serial: serial(), validity: lasting, subject: nameOf(commonName) })
  return {
    ordinary, lasting, identity: (der: Buffer) => identityOf(der, needs.ids),
    tlsRoot: async (key: KeyObject) => createRoot(ca('Loadstone TLS Root'), keySigner(key)),
    ocppRoot: async (key: KeyObject) => createRoot(ca('Loadstone OCPP Root'), keySigner(key)),
    serca: async (key: KeyObject) => createSerca(ca('IEEE 2030.5 Root'), keySigner(key)),
    mca: async (serca: Authority, key: KeyObject) => createIntermediate('MCA', serca, ca('IEEE 2030.5 MCA'), keySigner(key)),
    mica: async (serca: Authority, key: KeyObject) => createIntermediate('MICA', serca, ca('IEEE 2030.5 MICA'), keySigner(key)),
    tlsServer: (issuer: Authority, key: KeyObject, names: readonly string[], rsa: boolean) =>
      issueTlsServer(issuer, { serial: serial(), publicKey: spkiOf(key), names, organization, validity: ordinary, rsa }),
    device: (mica: Authority, key: KeyObject, hwSerialNum: string, policies: readonly string[] = [Policy.generic]) =>
      issueDevice(mica, { serial: serial(), publicKey: spkiOf(key), hwType: seedHwType, hwSerialNum, policies, validity: lasting }),
    client: (issuer: Authority, key: KeyObject, commonName: string) =>
      issueClient(issuer, { serial: serial(), publicKey: spkiOf(key), commonName, organization, validity: ordinary }),
  }
}

type Files = ReturnType<typeof folderFiles>

/** Reads and writes one folder; a write is complete or absent (temporary name, then rename). */
function folderFiles(dir: string, seal: Seal) {
  const read = async (name: string): Promise<string | undefined> => {
    try {
      return await readFile(join(dir, name), 'utf8')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    }
  }
  const write = async (name: string, content: string | Uint8Array, mode: number): Promise<void> => {
    const part = join(dir, `${name}.part`)
    await writeFile(part, content, { mode })
    await rename(part, join(dir, name))
  }
  return {
    read, write,
    async readKey(name: string): Promise<KeyObject | undefined> {
      const plain = await read(`${name}.key`)
      if (plain !== undefined) return keyFromPem(plain)
      const sealed = await read(`${name}.key.sealed`)
      return sealed === undefined ? undefined : keyFromPem(seal.open(`${name}.key`, sealed))
    },
    async writeKey(name: string, key: KeyObject, plain: boolean): Promise<void> {
      if (plain) await write(`${name}.key`, keyPem(key), 0o600)
      else await write(`${name}.key.sealed`, seal.seal(`${name}.key`, keyPem(key)), 0o600)
    },
  }
}

async function sealOf(dir: string, needs: PkiNeeds): Promise<Seal> {
  if (needs.sealingKey !== undefined) return sealFrom(needs.sealingKey)
  const path = join(dir, 'seal.key')
  try {
    await stat(path)
  } catch {
    await writeFile(path, needs.ids.hex(32), { mode: 0o600, flag: 'wx' })
    if (!needs.seed) needs.log.warn({ file: path, clause: 'SEC-026' }, 'no sealing key is configured: one was made beside the keys it seals; keep it out of backups')
  }
  return sealFrom((await readFile(path, 'utf8')).trim())
}

/** Key first, certificate last: a crash between them leaves no certificate, and both are made again. */
async function authority(files: Files, name: string, plain: boolean, make: (key: KeyObject) => Promise<Authority>): Promise<Authority> {
  const pem = await files.read(`${name}.pem`)
  if (pem !== undefined) return authorityFrom(certificatesFrom(pem)[0]!, [], await needKey(files, name))
  const key = newEcKey(), made = await make(key)
  await files.writeKey(name, key, plain)
  await files.write(`${name}.pem`, certificatePem(made.certificate), 0o644)
  return made
}

async function needKey(files: Files, name: string): Promise<KeyObject> {
  const key = await files.readKey(name)
  if (!key) throw new Refusal('unavailable', `${name}.pem is there but its key is not: put ${name}.key.sealed back, or start with an empty folder`)
  return key
}

/** SERCA and MICA; an MCA between them was put into chain.pem by `ca issue-mica --mca`. */
async function micaOf(files: Files, plain: boolean, maker: Maker): Promise<Authority> {
  const chain = await files.read('chain.pem')
  if (chain !== undefined) {
    const [own, ...above] = certificatesFrom(chain)
    return authorityFrom(own!, above, await needKey(files, 'mica'))
  }
  const pem = await files.read('serca.pem')
  const serca = pem === undefined ? await makeSerca(files, maker) : authorityFrom(certificatesFrom(pem)[0]!, [], await needKey(files, 'offline/serca'))
  return makeMica(files, maker, serca, { plain, mca: false })
}

async function makeSerca(files: Files, maker: Maker): Promise<Authority> {
  const key = newEcKey(), serca = await maker.serca(key)
  await files.writeKey('offline/serca', key, false)
  await files.write('serca.pem', certificatePem(serca.certificate), 0o644)
  return serca
}

async function makeMica(files: Files, maker: Maker, serca: Authority, how: { readonly plain: boolean; readonly mca: boolean }): Promise<Authority> {
  let above = serca
  if (how.mca) {
    const key = newEcKey()
    above = await maker.mca(serca, key)
    await files.writeKey('offline/mca', key, false)
    await files.write('mca.pem', certificatePem(above.certificate), 0o644)
  }
  const key = newEcKey(), mica = await maker.mica(above, key)
  await files.writeKey('mica', key, how.plain)
  await files.write('mica.pem', certificatePem(mica.certificate), 0o644)
  await files.write('chain.pem', wholeChain(mica).map(certificatePem).join(''), 0o644)
  return mica
}

/** `ca init`: a SERCA in an empty folder, its key sealed in `offline/` (SEP-230). */
export async function initSerca(dir: string, needs: PkiNeeds): Promise<Authority> {
  const files = await openFolder(dir, needs)
  if (await files.read('serca.pem') !== undefined) throw new Refusal('conflict', `${join(dir, 'serca.pem')} exists: a root is made once; choose another folder`)
  return makeSerca(files, makerOf(needs))
}

/** `ca issue-mica`: an issuing CA below that SERCA, with an MCA between them when asked for. */
export async function issueMica(dir: string, needs: PkiNeeds, how: { readonly mca: boolean; readonly replace: boolean }): Promise<Authority> {
  const files = await openFolder(dir, needs), pem = await files.read('serca.pem')
  if (pem === undefined) throw new Refusal('notFound', `there is no serca.pem in ${dir}: run ca init first`)
  if (await files.read('chain.pem') !== undefined && !how.replace) throw new Refusal('conflict', `${join(dir, 'chain.pem')} exists: devices trust it; add --replace to issue a new MICA`)
  return makeMica(files, makerOf(needs), authorityFrom(certificatesFrom(pem)[0]!, [], await needKey(files, 'offline/serca')), { plain: false, mca: how.mca })
}

async function openFolder(dir: string, needs: PkiNeeds): Promise<Files> {
  await mkdir(join(dir, 'offline'), { recursive: true, mode: 0o700 })
  await chmod(dir, 0o700)
  return folderFiles(dir, await sealOf(dir, needs))
}

interface Leaf {
  readonly key: KeyObject
  readonly der: Buffer
}

async function leaf(
  files: Files, name: string, plain: boolean, newKey: () => Promise<KeyObject>, issue: (key: KeyObject) => Promise<Buffer>, fits: (der: Buffer) => boolean = () => true,
): Promise<Leaf> {
  const pem = await files.read(`${name}.pem`), old = pem === undefined ? undefined : certificatesFrom(pem)[0]
  if (old && fits(old)) return { key: await needKey(files, name), der: old }
  const key = (old && await files.readKey(name)) || await newKey()
  const der = await issue(key)
  await files.writeKey(name, key, plain)
  await files.write(`${name}.pem`, certificatePem(der), 0o644)
  return { key, der }
}

/** A server certificate is made anew when a name is missing or it does not last through the wanted range. */
function covers(der: Buffer, names: readonly string[], validity: Validity): boolean {
  const view = readCertificate(der)
  const has = new Set(altNames(view).filter((n) => n.kind === 'dNSName').map((n) => n.text))
  const wanted = names.filter((n) => !/^[\d.]+$|:/.test(n))
  return wanted.every((n) => has.has(n)) && view.notBeforeMs <= validity.fromMs + 30 * day && view.notAfterMs >= Math.min(validity.toMs, validity.fromMs + 60 * day)
}

/** What contract §4 names: devices, aggregator and vendor as .pem, .key and .der, CS011, lfdi.json. */
async function seedFiles(files: Files, maker: Maker, mica: Authority, tlsRoot: Authority, ocppRoot: Authority): Promise<Record<string, DeviceIdentity>> {
  const known = await files.read('lfdi.json')
  if (known !== undefined) return JSON.parse(known) as Record<string, DeviceIdentity>
  const map: Record<string, DeviceIdentity> = {}
  const put = async (name: string, issue: (key: KeyObject) => Promise<Buffer>): Promise<void> => {
    const { der } = await leaf(files, name, true, async () => newEcKey(), issue)
    await files.write(`${name}.der`, der, 0o644)
    if (name !== 'cs011') map[name] = maker.identity(der)
  }
  for (const name of seedDevices) {
    await put(name, (key) => maker.device(mica, key, name, name.startsWith('aggregator') ? [Policy.generic, Policy.commercial] : [Policy.generic]))
  }
  await put('vendor-1', (key) => maker.client(tlsRoot, key, 'vendor-1'))
  await put('cs011', (key) => maker.client(ocppRoot, key, 'CS011'))
  await files.write('lfdi.json', `${JSON.stringify(map, undefined, 2)}\n`, 0o644)
  return map
}

/** 20 unused one-time secrets of 128 bits (SEC-024). */
async function estSeed(files: Files, needs: PkiNeeds): Promise<EstSeed> {
  const known = await files.read('est.json')
  if (known !== undefined) return JSON.parse(known) as EstSeed
  const secrets = Array.from({ length: 20 }, (_, i) => ({ secret: needs.ids.hex(16), hwSerialNum: `EST-${String(i + 1).padStart(4, '0')}` }))
  const seed: EstSeed = { vendor: 'vendor-1', pen: seedPen, secrets }
  await files.write('est.json', `${JSON.stringify(seed, undefined, 2)}\n`, 0o600)
  return seed
}
