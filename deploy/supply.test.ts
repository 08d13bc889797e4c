import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { packageRoot } from '#core/package-root.js'
import { billOfMaterials } from '#deploy/bill-of-materials.js'

const root = packageRoot(), read = (file: string): string => readFileSync(join(root, file), 'utf8')
interface Locked { version: string; integrity?: string; resolved?: string; link?: boolean; dev?: boolean; hasInstallScript?: boolean }
const lock = JSON.parse(read('package-lock.json')) as { lockfileVersion: number; packages: Record<string, Locked> }
const own = JSON.parse(read('package.json')) as Record<'dependencies' | 'devDependencies' | 'optionalDependencies', Record<string, string>>
const nameOf = (path: string): string => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)
const all = Object.entries(lock.packages).filter(([path]) => path !== '').map(([path, p]) => ({ path, name: nameOf(path), ...p }))

/** Versions with known holes lie below these (reliability.md SEC-067). */
const floors: Readonly<Record<string, string>> = { 'ws': '8.21.0', 'fastify': '5.8.5', 'ajv': '8.18.0', 'undici': '7.24.0', 'fast-xml-parser': '5.7.0', 'node-forge': '1.4.0' }
/**
 * The one copy below a floor: ocpp-rpc, the client of simulated stations and of the conformance runner, pins it, and with a newer one its own schemas
 * (`$id` urn:…) no longer load. The hole (a pattern out of `$data`) needs an option that ocpp-rpc does not set, and the server never loads it.
 */
const excused: readonly string[] = ['node_modules/ocpp-rpc/node_modules/ajv 8.14.0']
const below = (a: string, b: string): boolean => {
  const [x, y] = [a, b].map((v) => v.split('-')[0]!.split('.').map(Number)) as [number[], number[]]
  const at = x.findIndex((n, i) => n !== y[i])
  return at >= 0 && x[at]! < y[at]!
}

t.test('SEC-067 no copy of a package that is shipped lies below its floor', (t) => {
  for (const [name, floor] of Object.entries(floors)) {
    const copies = all.filter((p) => p.name === name && !p.dev)
    if (name in own.dependencies) t.ok(copies.length > 0, `${name} is there`)
    t.same(copies.filter((p) => below(p.version, floor)).map((p) => `${p.path} ${p.version}`), name === 'ajv' ? excused : [], `${name} from ${floor}`)
  }
  t.ok(below('8.20.9', '8.21.0') && !below('8.21.0', '8.21.0') && below('7.30.2', '8.0.0'))
  t.end()
})

t.test('SEC-067 one lock with a hash for each package and no address; exact versions; no install script runs', (t) => {
  t.equal(lock.lockfileVersion, 3)
  t.same(all.filter((p) => !p.link && !p.integrity).map((p) => p.path), [], 'each has its hash')
  t.same(all.filter((p) => p.resolved).map((p) => p.path), [])
  t.match(read('.npmrc'), /^ignore-scripts=true$/m)
  for (const kind of ['dependencies', 'devDependencies', 'optionalDependencies'] as const) for (const [name, range] of Object.entries(own[kind])) {
    t.match(range, name === '@types/node' ? /^20$/ : /^\d+\.\d+\.\d+(-[\w.]+)?$/, `${name} ${range}`)
    t.ok(lock.packages[`node_modules/${name}`], `${name} is locked`)
  }
  t.end()
})

t.test('SEC-067 the bill of materials names what is shipped, with hashes', (t) => {
  const bill = billOfMaterials(lock, { name: 'loadstone', version: '0.1.0' })
  t.match(bill, { bomFormat: 'CycloneDX', specVersion: '1.5', metadata: { component: { name: 'loadstone', version: '0.1.0' } } })
  const names = new Set(bill.components.map((c) => c.name))
  for (const name of Object.keys(own.dependencies)) t.ok(names.has(name), name)
  for (const tool of ['tap', 'vite', 'oxlint']) t.notOk(names.has(tool), `${tool} is not shipped`)
  for (const c of bill.components) t.match(c, { type: 'library', version: /^\d/, purl: /^pkg:npm\/(%40[\w.-]+\/)?[\w.-]+@\d/, hashes: [{ alg: 'SHA-512', content: /^[0-9a-f]{128}$/ }] })
  t.equal(new Set(bill.components.map((c) => c.purl)).size, bill.components.length)
  t.end()
})
