#!/usr/bin/env node
// Packs the VEN client alone (UX-028): compiles ven-client/index.ts with everything that it imports, and nothing else, writes a package.json
// of its own and lets npm make the tarball. Usage: node scripts/pack-ven.js [--out FOLDER]; prints the tarball's path.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const at = process.argv.indexOf('--out')
const out = resolve(at < 0 ? '.' : process.argv[at + 1] ?? '.')
const main = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const work = mkdtempSync(join(tmpdir(), 'loadstone-pack-'))
const staged = join(work, 'package')

function run(command, args, options = {}) {
  const done = spawnSync(command, args, { encoding: 'utf8', shell: process.platform === 'win32', ...options })
  if (done.status === 0) return done.stdout
  process.stderr.write(`${command} failed:\n${done.stdout ?? ''}${done.stderr ?? ''}`)
  rmSync(work, { recursive: true, force: true })
  process.exit(1)
}

/** Every file below a folder. */
const files = (folder) => readdirSync(folder, { withFileTypes: true, recursive: true }).filter((e) => e.isFile()).map((e) => join(e.parentPath ?? e.path, e.name))

mkdirSync(staged, { recursive: true })
writeFileSync(join(work, 'tsconfig.json'), JSON.stringify({
  extends: join(root, 'tsconfig.json'),
  compilerOptions: { rootDir: root, outDir: staged, declaration: true, sourceMap: false, incremental: false, tsBuildInfoFile: null, typeRoots: [join(root, 'node_modules/@types')] },
  files: [join(root, 'ven-client/index.ts')], include: [], exclude: [],
}))
run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', join(work, 'tsconfig.json')])

// what the compiled files import decides the dependencies and the rooms: a new arrow shows up here by itself
const texts = files(staged).map((file) => readFileSync(file, 'utf8'))
const specifiers = new Set(texts.flatMap((text) => [...text.matchAll(/(?:from|import)\s*\(?\s*['"]([^'"]+)['"]/g)].map((m) => m[1])))
const bare = [...specifiers].filter((s) => !s.startsWith('#') && !s.startsWith('node:') && !s.startsWith('.')).map((s) => s.split('/').slice(0, s.startsWith('@') ? 2 : 1).join('/'))
const rooms = [...new Set([...specifiers].filter((s) => s.startsWith('#')).map((s) => s.slice(1).split('/')[0]))].sort()
const foreign = rooms.filter((room) => !['ven-client', 'core', 'vtn', 'csip-server', 'certs'].includes(room))
if (foreign.length > 0) { process.stderr.write(`the VEN client imports ${foreign.join(', ')}: style.md §1 forbids it\n`); process.exit(1) }
const dependencies = Object.fromEntries([...new Set(bare)].sort().map((name) => {
  const version = main.dependencies[name]
  if (!version) { process.stderr.write(`${name} is no dependency of the project\n`); process.exit(1) }
  return [name, `^${version}`]
}))

writeFileSync(join(staged, 'package.json'), `${JSON.stringify({
  name: '@loadstone/ven', version: main.version, description: 'OpenADR 3 VEN and IEEE 2030.5 client: events, timeline, reports, receivers, a fake VTN for tests',
  license: main.license, type: 'module', engines: main.engines, sideEffects: false,
  exports: { '.': { types: './ven-client/index.d.ts', default: './ven-client/index.js' } },
  imports: Object.fromEntries(rooms.map((room) => [`#${room}/*.js`, `./${room}/*.js`])),
  dependencies,
}, null, 2)}\n`)
cpSync(join(root, 'ven-client/README.md'), join(staged, 'README.md'))
try { cpSync(join(root, 'LICENSE'), join(staged, 'LICENSE')) } catch { /* not there yet */ }

mkdirSync(out, { recursive: true })
const [packed] = JSON.parse(run('npm', ['pack', '--json', '--silent', '--ignore-scripts', '--pack-destination', out], { cwd: staged }))
process.stderr.write(`${packed.files.length} files, ${Math.round(packed.size / 1024)} KB, needs ${Object.keys(dependencies).join(', ')}\n`)
process.stdout.write(`${relative(process.cwd(), join(out, packed.filename)) || packed.filename}\n`)
rmSync(work, { recursive: true, force: true })
