import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { chownSync, closeSync, existsSync, mkdtempSync, openSync, readFileSync, realpathSync, renameSync, rmSync, statSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { Client } from 'pg'
import { Refusal } from '#core/error.js'
import type { Log } from '#core/port/log.js'
import { binaries, type Binaries } from '#prisma/embedded/binaries.js'
import { embeddedHome, foreignOwner, type Home, type Owner } from '#prisma/embedded/home.js'

export interface EmbeddedOptions {
  /** LOADSTONE_DATA: the database lives in its folder `database`. */
  readonly dataDir: string
  readonly log: Log
  /** Off in tests only: REL-009 needs every acknowledged commit on disk. */
  readonly fsync?: boolean
  readonly maxConnections?: number
}

export interface Embedded {
  readonly url: string
  /** True when this process started the server: only then does `stop` stop it (launcher rule 2), unless it is told that nobody else uses it. */
  readonly started: boolean
  stop(options?: { joined?: boolean }): Promise<void>
  /** Tells it to stop and does not wait: for a process that exits at this moment. */
  end(): void
}

const startWithin_ms = 60_000

const urlOf = (home: Home, database: string): string => `postgresql://app@localhost/${database}?host=${encodeURIComponent(home.socketDir)}`

/** What a server at the socket says: `ready`, `starting`, or `absent`. */
async function probe(home: Home): Promise<'ready' | 'starting' | 'absent'> {
  const client = new Client({ connectionString: urlOf(home, 'postgres'), connectionTimeoutMillis: 2000 })
  client.on('error', () => {})
  try {
    await client.connect()
    await client.query(`create database loadstone`).catch((error: { code?: string }) => {
      if (error.code !== '42P04' && error.code !== '23505') throw error
    })
    return 'ready'
  } catch (error) {
    const code = (error as { code?: string }).code ?? ''
    // 57P03: starting up, shutting down or recovering; 53300: it lives but is full.
    if (code === '53300') return 'ready'
    return /^(57P|55006)/.test(code) ? 'starting' : 'absent'
  } finally {
    await client.end().catch(() => {})
  }
}

/** initdb beside the final place, then one rename: a crash or a second process never leaves or sees half a cluster. */
function createCluster(home: Home, { bin }: Binaries, owner: Owner | undefined, sync: boolean): void {
  const fresh = mkdtempSync(join(home.dir, 'new-'))
  if (owner) chownSync(fresh, owner.uid, owner.gid)
  const flags = ['-D', fresh, '-U', 'app', '--auth=trust', '--no-locale', '-E', 'UTF8', '--data-checksums', ...(sync ? [] : ['--no-sync'])]
  const run = spawnSync(join(bin, 'initdb'), flags, { cwd: '/', encoding: 'utf8', ...owner })
  try {
    if (run.error || run.status !== 0) throw new Refusal('unavailable', `initdb failed: ${(run.stderr || String(run.error)).trim()}`)
    if (!existsSync(home.data)) renameSync(fresh, home.data)
  } catch (error) {
    if (!['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
  } finally {
    rmSync(fresh, { recursive: true, force: true })
  }
}

function clusterMajor(home: Home): number | undefined {
  if (!existsSync(home.data)) return undefined
  const file = join(home.data, 'PG_VERSION')
  // REL-010: never a new, empty database in place of a damaged one.
  if (!existsSync(file)) throw damaged(home, 'PG_VERSION is missing')
  return Number.parseInt(readFileSync(file, 'utf8'), 10)
}

const damaged = (home: Home, detail: string): Refusal => new Refusal('unavailable',
  `PostgreSQL refuses the data in ${home.data}: ${detail}. Nothing was changed; move the folder away and run 'loadstone db restore FILE'`)

function launch(home: Home, { bin }: Binaries, owner: Owner | undefined, options: EmbeddedOptions): ChildProcess {
  const settings = ['listen_addresses=', `unix_socket_directories=${home.socketDir}`, 'unix_socket_permissions=0700', `max_connections=${options.maxConnections ?? 100}`,
    ...(options.fsync === false ? ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off'] : [])]
  if (existsSync(home.log) && statSync(home.log).size > 10_000_000) truncateSync(home.log)
  const out = openSync(home.log, 'a', 0o600)
  // A session of its own: Ctrl-C in the terminal must not stop the database under a server that is still draining.
  const child = spawn(join(bin, 'postgres'), ['-D', home.data, ...settings.flatMap((s) => ['-c', s])], { cwd: '/', detached: true, stdio: ['ignore', out, out], ...owner })
  closeSync(out)
  child.on('error', (error) => options.log.error({ err: error }, 'postgres could not be started'))
  child.unref()
  return child
}

const gone = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null || child.pid === undefined

/** The process that says it serves a cluster. */
const postmaster = (data: string): number | undefined => {
  try { return Number.parseInt(readFileSync(join(data, 'postmaster.pid'), 'utf8'), 10) || undefined } catch { return undefined }
}

const holds = (home: Home, child: ChildProcess): boolean => child.pid !== undefined && postmaster(home.data) === child.pid

/** Why a server went away at once: another was faster, an old one still lets go, or the data is damaged. */
function lastWords(home: Home, from: number): string | undefined {
  const said = readFileSync(home.log, 'utf8').slice(-64_000).split('\n').filter((line) => /FATAL|PANIC|could not/.test(line)).slice(-3)
  const text = statSync(home.log).size > from ? said.join(' ') : ''
  return !text || /lock file|shared memory|Is another postmaster|socket file/.test(text) ? undefined : text.replace(/^.*?(FATAL|PANIC)/, '$1')
}

async function bringUp(home: Home, owner: Owner | undefined, options: EmbeddedOptions): Promise<ChildProcess | undefined> {
  const deadline = performance.now() + startWithin_ms
  while (performance.now() < deadline) {
    const state = await probe(home)
    if (state === 'ready') return undefined
    if (state === 'starting') { await pause(50); continue }
    const server = binaries(owner, clusterMajor(home))
    if (!existsSync(home.data)) createCluster(home, server, owner, options.fsync !== false)
    const logged = existsSync(home.log) ? statSync(home.log).size : 0
    const child = launch(home, server, owner, options)
    while (!gone(child) && performance.now() < deadline) {
      if (holds(home, child) && (await probe(home)) === 'ready') return child
      await pause(15)
    }
    if (!gone(child)) child.kill('SIGINT')
    if ((await probe(home)) !== 'absent') continue
    const words = lastWords(home, logged)
    if (words) throw damaged(home, words)
    await pause(100)
  }
  throw new Refusal('unavailable', `PostgreSQL did not come up within ${startWithin_ms / 1000} s; see ${home.log}`)
}

/** The launcher of stack.md: connects first, else starts; whoever started it stops it. */
export async function startEmbedded(options: EmbeddedOptions): Promise<Embedded> {
  const owner = foreignOwner()
  const home = embeddedHome(options.dataDir, owner)
  let child = await bringUp(home, owner, options)
  const started = child !== undefined
  options.log.info({ data: home.data, started }, started ? 'embedded PostgreSQL started' : 'joined the running embedded PostgreSQL')
  let stopping = false
  const watch = (watched: ChildProcess | undefined): void => {
    watched?.once('exit', (code, signal) => {
      if (stopping) return
      options.log.error({ code, signal }, 'embedded PostgreSQL ended unexpectedly; starting it again')
      revival = revive()
    })
  }
  let revival: Promise<void> = Promise.resolve()
  async function revive(): Promise<void> {
    try {
      child = await bringUp(home, owner, options)
      watch(child)
    } catch (error) {
      options.log.error({ err: error }, 'embedded PostgreSQL stays down')
    }
  }
  watch(child)
  return {
    url: urlOf(home, 'loadstone'),
    started,
    end() {
      stopping = true
      const pid = child?.pid ?? postmaster(home.data)
      if (pid !== undefined && !(child && gone(child))) process.kill(pid, 'SIGINT')
    },
    async stop({ joined = false } = {}) {
      stopping = true
      await revival
      const mine = child
      if (!mine && joined) return await stopServer(home)
      if (!mine || gone(mine)) return
      const ended = new Promise((done) => { mine.once('exit', done) })
      mine.ref()
      mine.kill('SIGINT')
      await Promise.race([ended, pause(10_000, undefined, { ref: false }).then(() => mine.kill('SIGQUIT')).then(() => ended)])
    },
  }
}

/** Stops the server that another process started; ends when its lock file is gone. */
async function stopServer(home: Home): Promise<void> {
  const pid = postmaster(home.data)
  if (pid === undefined || (await probe(home)) === 'absent') return
  process.kill(pid, 'SIGINT')
  for (let n = 0; n < 320 && postmaster(home.data) !== undefined; n++) await pause(25)
}

/** Stops whatever server runs on the folder's database and removes it, also where it lies elsewhere (`--fresh`). The caller knows that nobody uses it. */
export async function removeEmbedded(dataDir: string): Promise<void> {
  const link = join(dataDir, 'database')
  if (!existsSync(link)) return rmSync(link, { force: true })
  const dir = realpathSync(link)
  if (postmaster(join(dir, 'data')) !== undefined) await stopServer(embeddedHome(dataDir, foreignOwner()))
  rmSync(dir, { recursive: true, force: true })
  rmSync(link, { recursive: true, force: true })
}
