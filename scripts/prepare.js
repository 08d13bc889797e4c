// Makes what a fresh clone lacks: packages, the Prisma client, the compiled program, the console's pages. Plain JavaScript without dependencies.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, existsSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = dirname(dirname(fileURLToPath(import.meta.url)))
const require = createRequire(join(root, 'package.json'))
const at = (...parts) => join(root, ...parts)
const mtime = (path) => (existsSync(path) ? statSync(path).mtimeMs : 0)

/** Runs a step; all it prints goes to stderr, so that stdout stays the caller's own. */
function step(title, command, args, { allow = [0] } = {}) {
  const begun = Date.now()
  const done = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2], env: { ...process.env, NO_UPDATE_NOTIFIER: '1', CHECKPOINT_DISABLE: '1', PRISMA_HIDE_UPDATE_MESSAGE: '1' } })
  if (done.error || !allow.includes(done.status ?? 1)) {
    process.stderr.write(`\nloadstone: ${title} failed (${done.error?.message ?? `exit ${done.status}`}). The lines above say why.\n`)
    process.exit(1)
  }
  process.stderr.write(`loadstone: ${title} ${((Date.now() - begun) / 1000).toFixed(1)} s\n`)
}

const bin = (name, file) => join(dirname(require.resolve(`${name}/package.json`)), file)

/** A checkout gives the lock file a new time; what it says decides, where this script has installed it before. */
export function install() {
  const lock = at('package-lock.json'), installed = at('node_modules', '.package-lock.json'), stamp = at('node_modules', '.loadstone-lock')
  const says = createHash('sha256').update(readFileSync(lock)).digest('hex')
  if (existsSync(installed) && (existsSync(stamp) ? readFileSync(stamp, 'utf8') === says : mtime(installed) >= mtime(lock))) return
  step('install', 'npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'])
  writeFileSync(stamp, says)
}

export function generate() {
  const schema = at('prisma', 'schema.prisma'), made = at('prisma', 'generated', 'client.ts')
  if (mtime(made) >= mtime(schema) && mtime(made) > 0) return
  step('database client', process.execPath, [bin('prisma', 'build/index.js'), 'generate'])
}

/** A compiled file whose source is gone would still run: remove it first. */
export function sweep(folder = 'build') {
  const base = at('build')
  if (!existsSync(base)) return
  for (const entry of readdirSync(base, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !/\.js(\.map)?$/.test(entry.name)) continue
    const path = join(entry.parentPath ?? entry.path, entry.name)
    if (path.startsWith(at(folder, 'console'))) continue
    const source = at(path.slice(base.length + 1).replace(/\.js(\.map)?$/, '.ts'))
    if (!existsSync(source)) rmSync(path, { force: true })
  }
}

/** Exit 2 of the compiler is "wrote everything, but with type errors": `npm test` counts those, `npm start` still runs. */
export function compile() {
  sweep()
  step('compile', process.execPath, [bin('typescript', 'bin/tsc')], { allow: [0, 2] })
  chmodSync(at('build', 'cli', 'loadstone.js'), 0o755)
}

/** The newest change below a folder, to tell whether the console must be built again. */
function newest(folder) {
  if (!existsSync(folder)) return 0
  return Math.max(0, ...readdirSync(folder, { recursive: true, withFileTypes: true }).filter((e) => e.isFile()).map((e) => mtime(join(e.parentPath ?? e.path, e.name))))
}

export function buildConsole() {
  if (!existsSync(at('console', 'src', 'main.tsx'))) return
  if (mtime(at('build', 'console', 'index.html')) >= newest(at('console'))) return
  step('console', process.execPath, [bin('vite', 'bin/vite.js'), 'build', '--config', 'console/vite.config.js', '--logLevel', 'warn'])
}

export function prepare() {
  install()
  generate()
  compile()
  buildConsole()
}
