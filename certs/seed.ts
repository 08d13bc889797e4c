import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { lfdiOf } from '#certs/lfdi.js'
import type { PkiFolder } from '#certs/pki-folder.js'
import type { CertificateRegistry } from '#certs/registry.js'
import type { StationCa } from '#certs/station.js'
import type { Vendors } from '#certs/vendor.js'
import { certificatesFrom } from '#certs/x509/pem.js'

/** Puts the vendor and the one-time secrets of the conformance seed into the store; again is no harm (contract §4). */
export async function seedVendor(folder: PkiFolder, vendors: Vendors): Promise<void> {
  if (!folder.est) return
  const { vendor, pen, secrets } = folder.est
  const [certificate] = certificatesFrom(await readFile(join(folder.dir, `${vendor}.pem`), 'utf8'))
  await vendors.put({ name: vendor, pen, fingerprints: certificate ? [lfdiOf(certificate)] : [], approval: 'automatic', policy: 'factory', active: true })
  await vendors.addSecrets(vendor, secrets, 3650 * 86_400_000)
}

/** Shows the seed's devices among the certificates that this server issued: its MICA made them, without a request (contract §4, §6). */
export async function seedCertificates(folder: PkiFolder, registry: CertificateRegistry): Promise<void> {
  if (!folder.est) return
  const { vendor } = folder.est
  const devices = Object.entries(folder.devices).filter(([name]) => name !== vendor)
  await registry.adopt(await Promise.all(devices.map(async ([name, { pin }]) => ({ der: await readFile(join(folder.dir, `${name}.der`)), pin, vendor, requester: 'seed' }))))
}

/** Puts CS011 among the certificates that the stations' authority answers for, since its certificate says where to ask (contract §4). */
export async function seedStation(folder: PkiFolder, stationCa: StationCa): Promise<void> {
  if (folder.est) await stationCa.adopt(await readFile(join(folder.dir, 'cs011.der')), 'CS011')
}
