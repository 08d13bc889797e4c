import type { KeyObject } from 'node:crypto'
import type { Ids } from '#core/port/ids.js'
import type { Authority } from '#certs/authority.js'
import { leaf } from '#certs/pki-files.js'
import type { Files } from '#certs/pki-files.js'
import { seedPen } from '#certs/pki-maker.js'
import type { DeviceIdentity, Maker } from '#certs/pki-maker.js'
import { Policy } from '#certs/x509/oid.js'
import { newEcKey } from '#certs/x509/signer.js'

export interface EstSeed {
  readonly vendor: string
  readonly pen: number
  readonly secrets: readonly { readonly secret: string; readonly hwSerialNum: string }[]
}

const seedDevices = ['device-1', 'device-2', 'device-3', 'device-4', 'device-5', 'aggregator-1']

/** What contract §4 names: devices, aggregator and vendor as .pem, .key and .der, CS011, lfdi.json. */
export async function seedFiles(files: Files, maker: Maker, mica: Authority, tlsRoot: Authority, ocppRoot: Authority): Promise<Record<string, DeviceIdentity>> {
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
  await put('cs011', (key) => maker.station(ocppRoot, key, 'CS011'))
  await files.write('lfdi.json', `${JSON.stringify(map, undefined, 2)}\n`, 0o644)
  return map
}

/** 20 unused one-time secrets of 128 bits (SEC-024). */
export async function estSeed(files: Files, needs: { readonly ids: Ids }): Promise<EstSeed> {
  const known = await files.read('est.json')
  if (known !== undefined) return JSON.parse(known) as EstSeed
  const secrets = Array.from({ length: 20 }, (_, i) => ({ secret: needs.ids.hex(16), hwSerialNum: `EST-${String(i + 1).padStart(4, '0')}` }))
  const seed: EstSeed = { vendor: 'vendor-1', pen: seedPen, secrets }
  await files.write('est.json', `${JSON.stringify(seed, undefined, 2)}\n`, 0o600)
  return seed
}
