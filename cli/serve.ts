import type { Command } from 'commander'
import { doorPorts, readSettings, type Settings } from '#cli/settings.js'

interface ServeOptions { seed?: 'conformance'; data?: string; config?: string; only?: string; fresh?: boolean; keep?: boolean }

/** `serve`: production; prints one line of JSON with `ready` on stdout, logs as JSON lines, ends on SIGTERM or Ctrl-C. */
export function registerServe(program: Command): void {
  program.command('serve').description('production: every server, no demo')
    .option('--only <doors>', 'only some of vtn,csip,csms,est,operator')
    .option('--config <file>', 'a loadstone.yaml')
    .option('--seed <name>', 'start with a known content: conformance')
    .option('--data <dir>', 'data folder')
    .option('--keep', 'go on with the data folder (default)')
    .option('--fresh', 'empty the data folder first; refused while a process uses it')
    .addHelpText('before', 'Examples:\n  $ npx loadstone serve\n  $ npx loadstone serve --seed conformance --fresh --data /tmp/ls\n  $ LOADSTONE_PORT_BASE=20000 npx loadstone serve --only vtn,operator\n')
    .action(async (options: ServeOptions) => { process.exitCode = await serve(options) })
}

async function serve(options: ServeOptions): Promise<number> {
  const { CliExit, exitCode } = await import('#cli/exit-code.js')
  if (options.seed !== undefined && options.seed !== 'conformance') throw new CliExit(exitCode.usage, `There is no seed '${String(options.seed)}'; the one seed is conformance.`)
  const seedDefaults: Partial<Settings> = options.seed === 'conformance' ? { host: 'loopback', vtnHttpPort: 8082, rateLimits: false } : {}
  const { settings, resolved, environment } = await readSettings(options.data === undefined ? {} : { data: options.data }, process.env, seedDefaults, options.config)
  const [{ systemClock }, { takeDataFolder }, { orSignal, outlive, untilSignal }, { makeLog }] = await Promise.all([
    import('#core/port/clock.js'), import('#cli/data-folder.js'), import('#cli/process.js'), import('#cli/log.js'),
  ])
  const log = makeLog(settings.logLevel)
  outlive(log)
  // UX-070: another level in loadstone.yaml counts from SIGHUP on; a file that cannot be read changes nothing
  if (!process.stdout.isTTY) process.on('SIGHUP', () => { readSettings({}, process.env, seedDefaults, options.config).then((now) => log.setLevel(now.settings.logLevel), (error: unknown) => log.error({ err: error }, 'the settings could not be read again')) })
  const only = doors(options.only, CliExit, exitCode.usage)
  const folder = await takeDataFolder(settings.data, { command: 'serve', ports: doorPorts(settings, only), fresh: options.fresh ?? false, now: new Date().toISOString() })
  try {
    // the rooms are loaded when the folder is ours: a second process is refused at once
    const { build } = await import('#main.js')
    const abort = new AbortController()
    const building = build({ settings, resolved, data: folder, clock: systemClock, log, only, waitForDatabase: true, signal: abort.signal, environment, ...(options.seed ? { seed: options.seed } : {}) })
    // a signal counts from the first moment on: what has been built by then is closed in order
    const signalled = untilSignal(async () => { abort.abort(); await (await building.catch(() => undefined))?.stop() }, log)
    const server = await orSignal(building, abort.signal, signalled)
    if (typeof server === 'number') return server
    process.stdout.write(`${JSON.stringify(server.ready)}\n`)
    return await signalled
  } finally {
    folder.release()
  }
}

const allDoors = ['vtn', 'csip', 'csms', 'est', 'operator'] as const
export type Door = (typeof allDoors)[number]

function doors(text: string | undefined, CliExit: new (code: number, sentence: string) => Error, usage: number): readonly Door[] {
  if (text === undefined) return allDoors
  const named = text.split(',').map((d) => d.trim())
  const unknown = named.find((d) => !(allDoors as readonly string[]).includes(d))
  if (unknown !== undefined) throw new CliExit(usage, `There is no door '${unknown}'; --only takes ${allDoors.join(', ')}.`)
  return named as Door[]
}
