import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { isAbsolute, join, resolve } from 'node:path'
import { CliExit, exitCode } from '#cli/exit-code.js'

/** One process that uses a data folder, as its file in `holders/` says. */
interface Holder { readonly pid: number; readonly command: string; readonly ports: readonly number[]; readonly since: string }

export interface DataFolder {
  readonly path: string
  at(...parts: string[]): string
  /** Another living process uses the folder too. */
  shared(): boolean
  /** Gives the folder back; only the own entry is removed. */
  release(): void
}

const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Who uses a folder now, in words; undefined when nobody does. */
export function holderOf(given: string, port?: number): string | undefined {
  const found = holders(isAbsolute(given) ? given : resolve(given)).find((h) => port === undefined || h.ports.includes(port))
  return found && `Loadstone process ${found.pid} (${found.command}, since ${found.since})`
}

/** Processes that use the folder now; entries of dead ones are swept. */
function holders(path: string): Holder[] {
  const folder = join(path, 'holders')
  if (!existsSync(folder)) return []
  return readdirSync(folder).flatMap((file) => {
    const holder = readHolder(join(folder, file))
    if (holder && holder.pid !== process.pid && alive(holder.pid)) return [holder]
    rmSync(join(folder, file), { force: true })
    return []
  })
}

function readHolder(file: string): Holder | undefined {
  try { return JSON.parse(readFileSync(file, 'utf8')) as Holder } catch { return undefined }
}

/**
 * Takes a data folder (REL-008): a second process may share it on other ports, but never on the same ones, and never empties it.
 * `fresh` removes everything first; refused while a process uses the folder. Throws CliExit 6 that names the holder.
 */
export async function takeDataFolder(given: string, use: { command: string; ports: readonly number[]; fresh: boolean; now: string }): Promise<DataFolder> {
  const path = isAbsolute(given) ? given : resolve(given)
  const others = holders(path)
  const clash = others.find((h) => h.ports.some((p) => p !== 0 && use.ports.includes(p)))
  if (use.fresh && others[0]) throw new CliExit(exitCode.refused, `${path} is in use by process ${others[0].pid} (loadstone ${others[0].command}, since ${others[0].since}); stop it before --fresh, or choose another --data folder.`)
  if (clash) throw new CliExit(exitCode.refused, `Process ${clash.pid} (loadstone ${clash.command}, since ${clash.since}) already serves ${path} on port ${clash.ports.find((p) => use.ports.includes(p))}; stop it, or set LOADSTONE_PORT_BASE for a second copy.`)
  if (use.fresh) await empty(path)
  mkdirSync(join(path, 'holders'), { recursive: true, mode: 0o755 })
  const own = join(path, 'holders', `${process.pid}.json`)
  writeFileSync(own, JSON.stringify({ pid: process.pid, command: use.command, ports: use.ports, since: use.now } satisfies Holder))
  return { path, at: (...parts) => join(path, ...parts), shared: () => holders(path).length > 0, release: () => rmSync(own, { force: true }) }
}

/** What Loadstone itself puts into a data folder; anything else is somebody's, and is left alone. */
const ours = new Set(['holders', 'data', 'database', 'postgres', 'native', 'socket', 'pki', 'demo', 'logs', 'seal.key', 'story.json', 'story.json.part', 'story.json.clock', 'story.json.clock.part', 'operator.token', 'audit-heads.jsonl', 'revocations.jsonl', 'uploads'])
/** Ours too, and not emptied with the rest: they are the way back. */
const spared = new Set(['backups'])

async function empty(path: string): Promise<void> {
  if (!existsSync(path)) return
  const entries = readdirSync(path)
  const foreign = entries.filter((e) => !ours.has(e) && !spared.has(e))
  if (foreign.length) throw new CliExit(exitCode.refused, `${path} holds files that are not Loadstone's (${foreign.slice(0, 3).join(', ')}); --fresh will not empty it.`)
  // A root user's database may lie elsewhere behind a link, and its server may still run.
  if (entries.includes('database')) await (await import('#prisma/embedded.js')).removeEmbedded(path)
  for (const entry of entries.filter((e) => ours.has(e))) rmSync(join(path, entry), { recursive: true, force: true })
}
