import { join } from 'node:path'
import { Refusal } from '#core/error.js'
import { authorityFrom, issueDevices, tlsIdentity, wholeChain } from '#certs/authority.js'
import type { Authority, IssuedDevice, TlsIdentity, Validity } from '#certs/authority.js'
import { lfdiOf } from '#certs/lfdi.js'
import { authority, leaf, needKey, openFolder } from '#certs/pki-files.js'
import type { Files, FolderNeeds } from '#certs/pki-files.js'
import { day, identityOf, makerOf, seedHwType } from '#certs/pki-maker.js'
import type { DeviceIdentity, Maker, MakerNeeds } from '#certs/pki-maker.js'
import { estSeed, seedFiles } from '#certs/pki-seed.js'
import type { EstSeed } from '#certs/pki-seed.js'
import { lenient } from '#certs/profile/trust.js'
import type { Leniency, TrustEntry } from '#certs/profile/trust.js'
import { altNames, readCertificate } from '#certs/x509/certificate.js'
import { certificatePem, certificatesFrom } from '#certs/x509/pem.js'
import { newEcKey, newRsaKey } from '#certs/x509/signer.js'

export { seedPen } from '#certs/pki-maker.js'
export type { DeviceIdentity } from '#certs/pki-maker.js'
export type { EstSeed } from '#certs/pki-seed.js'

/** Everything that the doors need to speak TLS, and the authorities that issue. */
export interface PkiFolder {
  readonly dir: string
  readonly tls: { readonly ca: string; readonly authority: Authority; readonly ec: TlsIdentity; readonly rsa: TlsIdentity }
  readonly csip: {
    readonly serca: string
    /** PEMs for `ca` of the listener: roots and intermediates, since devices may send only their leaf (SEP-205); ours and the folder's `trusted/`. */
    readonly trust: readonly string[]
    /** The same with what each issuer is forgiven (SEP-206), for `trustOf`. */
    readonly entries: readonly TrustEntry[]
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

export interface PkiNeeds extends FolderNeeds, MakerNeeds {
  /** Host names and addresses of the ordinary server certificates, besides localhost, 127.0.0.1 and ::1. */
  readonly names?: readonly string[]
}

const ordinaryNames = ['localhost', '127.0.0.1', '::1']

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

  const foreign = await foreignTrust(files)
  const devices = open ? await seedFiles(files, maker, mica, tlsRoot, ocppRoot) : {}
  const est = open ? await estSeed(files, needs) : undefined
  return {
    dir,
    tls: { ca: certificatePem(tlsRoot.certificate), authority: tlsRoot, ec: tlsIdentity(tlsRoot, ec.key, ec.der), rsa: tlsIdentity(tlsRoot, rsa.key, rsa.der) },
    csip: {
      serca: certificatePem(wholeChain(mica).at(-1)!), mica,
      trust: [...wholeChain(mica).map(certificatePem), ...foreign.map((f) => f.certificates)], entries: [...wholeChain(mica).map((certificates) => ({ certificates })), ...foreign],
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

/**
 * Manufacturers beside our own PKI (SEP-212: several SERCAs): `trusted/NAME.pem` holds a root, and its MCA and MICA when devices send only
 * their leaf; `NAME.lenient.pem` is forgiven what SEP-206 lists.
 */
async function foreignTrust(files: Files): Promise<readonly { readonly certificates: string; readonly leniency?: Leniency }[]> {
  const names = await files.list('trusted')
  return Promise.all(names.map(async (name) => {
    const certificates = await files.read(join('trusted', name)) ?? ''
    if (certificatesFrom(certificates).length === 0) throw new Refusal('invalid', `trusted/${name} holds no certificate`)
    return { certificates, ...(name.endsWith('.lenient.pem') ? { leniency: lenient } : {}) }
  }))
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

/** A server certificate is made anew when a name is missing or it does not last through the wanted range. */
function covers(der: Buffer, names: readonly string[], validity: Validity): boolean {
  const view = readCertificate(der)
  const has = new Set(altNames(view).filter((n) => n.kind === 'dNSName').map((n) => n.text))
  const wanted = names.filter((n) => !/^[\d.]+$|:/.test(n))
  return wanted.every((n) => has.has(n)) && view.notBeforeMs <= validity.fromMs + 30 * day && view.notAfterMs >= Math.min(validity.toMs, validity.fromMs + 60 * day)
}

