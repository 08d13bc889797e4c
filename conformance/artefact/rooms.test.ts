import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, normalize } from 'node:path'
import t from 'tap'
import { allowed, insideCore, mayImport } from '#conformance/artefact/rooms.js'
import { packageRoot } from '#core/package-root.js'

const root = packageRoot(import.meta.url)
const rooms = Object.keys(mayImport).filter((r) => r !== 'wire' && r !== 'main')
const isTest = (file: string): boolean => /\.test\.ts$|test-database\.ts$|\/test-[a-z-]+\.ts$|\/fixture|\/outsider\/|crash-child\.ts$|\/samples\.ts$/.test(file)

const sources = [
  ...['main.ts'].filter((f) => existsSync(join(root, f))),
  ...rooms.flatMap((room) => readdirSync(join(root, room), { recursive: true, encoding: 'utf8' })
    .filter((f) => f.endsWith('.ts') && !f.startsWith('generated')).map((f) => `${room}/${f}`)),
]

const importsOf = (file: string): string[] =>
  [...readFileSync(join(root, file), 'utf8').matchAll(/(?:from|import\()\s*'#([^']+)\.js'/g)].map((m) => m[1] as string)

t.test('style.md §1 every import follows the arrows between rooms', async (t) => {
  const bent: string[] = []
  for (const file of sources.filter((f) => !isTest(f))) {
    for (const target of importsOf(file)) if (!allowed(file, target) || !insideCore(file, target)) bent.push(`${file} → ${target}`)
  }
  t.same(bent, [], 'no bent arrow')
})

t.test('style.md §1 a wrong arrow is seen', async (t) => {
  t.notOk(allowed('core/dispatch/issue.ts', 'vtn/server'))
  t.notOk(allowed('vtn/server.ts', 'prisma/database'))
  t.notOk(allowed('csms/wire/boot.ts', 'core/port/clock'))
  t.ok(allowed('csms/dispatch-channel.ts', 'core/port/dispatch-channel'))
  t.notOk(insideCore('core/dispatch/issue.ts', 'core/operator/server'))
})

t.test('style.md §1 rooms are joined by # names, never by relative paths', async (t) => {
  const leaving = sources.flatMap((f) => [...readFileSync(join(root, f), 'utf8').matchAll(/from '(\.\.?\/[^']+)'/g)]
    .filter((m) => normalize(join(f, '..', m[1] as string)).split('/')[0] !== f.split('/')[0]).map((m) => `${f} → ${m[1]}`))
  t.same(leaving, [])
})

t.test('style.md §6 no room takes the clock, random ids or the environment directly', async (t) => {
  const taken = sources.filter((f) => /^(core|vtn|csip-server|csms|certs|ven-client)\//.test(f) && !isTest(f) && !/^core\/port\/(clock|ids)\.ts$/.test(f))
    .filter((f) => /Date\.now\(|new Date\(\)|randomUUID\(|Math\.random\(|process\.env/.test(readFileSync(join(root, f), 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '')))
  t.same(taken, [])
})
