import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { DateTime } from 'luxon'
import type { Loadstone } from '#main/shape.js'
import { CliExit, exitCode } from '#cli/exit-code.js'
import { takeDataFolder } from '#cli/data-folder.js'
import { makeLog } from '#cli/log.js'
import { orSignal, outlive, untilSignal } from '#cli/process.js'
import { doorPorts, readSettings } from '#cli/settings.js'
import { storyClock } from '#cli/story/clock.js'
import type { StoryDocument } from '#cli/story/document.js'
import { planStory, zone } from '#cli/story/plan.js'
import { finalScreen } from '#cli/story/screen.js'
import { beat_ms, stateFile, type StoryState } from '#cli/story/state.js'
import { tellStory } from '#cli/story/story.js'
import { makeTeller } from '#cli/story/teller.js'
import type { UpOptions } from '#cli/up.js'

const doors = ['vtn', 'csip', 'csms', 'est', 'operator'] as const
/** A story's clock starts some quiet minutes before its devices connect. */
const leadIn_ms = 600_000
/** How long the devices may take to say good-bye before the servers go. */
const patience_ms = 3000

/** Runs the main job; resolves with the exit code. */
export async function up(options: UpOptions): Promise<number> {
  const wish = checked(options)
  const begunMs = Number(process.env.LOADSTONE_STARTED_AT ?? Date.now())
  const { settings, resolved, environment } = await readSettings({ data: options.data, databaseUrl: options.db }, process.env, { host: 'loopback', vtnHttpPort: 8082, rateLimits: false, timeZone: zone }, options.config)
  const folder = await takeDataFolder(settings.data, { command: 'up', ports: doorPorts(settings, doors), fresh: options.fresh ?? false, now: new Date().toISOString() })
  try {
    const log = makeLog(settings.logLevel, folder.at('logs', 'up.jsonl'))
    outlive(log)
    const file = stateFile(folder.at('story.json'))
    const begin = beginning(file.read(), wish)
    const clock = storyClock(begin.clockMs, 1)
    const tell = makeTeller(process.stderr, begunMs, () => Date.now())
    tell.stage('servers start')
    // the rooms are loaded when the folder is ours: a second process is refused at once
    const { build } = await import('#main.js')
    const abort = new AbortController(), { signal } = abort
    const building = build({ settings, resolved, data: folder, clock, log, seed: 'demo', environment, signal })
    let devicesGone = async (): Promise<unknown> => undefined
    const signalled = untilSignal(async () => {
      abort.abort()
      await devicesGone()
      await (await building.catch(() => undefined))?.stop()
    }, log)
    const server = await orSignal(building, signal, signalled)
    if (typeof server === 'number') return server
    const story = tellStory({ server, clock, state: file, begin, demoFile: (name) => folder.at('demo', name), tell, signal })
    devicesGone = () => Promise.race([story.catch(() => undefined), pause(patience_ms, undefined, { ref: false })])
    return await play({ server, story, tell, begunMs, options, signalled, signal })
  } finally {
    folder.release()
  }
}

interface Scene {
  readonly server: Loadstone
  readonly story: ReturnType<typeof tellStory>
  readonly tell: ReturnType<typeof makeTeller>
  readonly begunMs: number
  readonly options: UpOptions
  /** Resolves when a signal has ended the server. */
  readonly signalled: Promise<number>
  /** Aborted when a signal has come: what fails from then on fails because we stop. */
  readonly signal: AbortSignal
}

async function play({ server, story, tell, begunMs, options, signalled, signal }: Scene): Promise<number> {
  tell.line(`console ${server.ready.operator ?? ''}/#/login?token=${server.ready.operatorToken ?? ''}&to=/live`)
  if (server.ready.setup) tell.line(`setup   ${server.ready.setup} (works once: makes the first person who signs in with a name)`)
  const ended = await Promise.race([story.then((document) => ({ document }), (error: unknown) => ({ error })), signalled.then((code) => ({ code }))])
  if ('code' in ended) return ended.code
  if ('error' in ended) {
    if (signal.aborted) return signalled
    await server.stop()
    throw ended.error
  }
  const document: StoryDocument = { ...ended.document, elapsed_s: Math.round((Date.now() - begunMs) / 100) / 10 }
  const held = document.checks.every((c) => c.ok)
  ;(options.json ? process.stderr : process.stdout).write(finalScreen(document, zone))
  if (!options.exit) {
    if (options.json) process.stdout.write(`${JSON.stringify(document)}\n`)
    tell.line('running until Ctrl-C')
    return signalled
  }
  await server.stop()
  if (options.json) process.stdout.write(`${JSON.stringify(document)}\n`)
  return held ? exitCode.done : exitCode.checksFailed
}

interface Wish { readonly devices: number; readonly day?: string; readonly rate?: number }

/** Flags that cannot be meant are named at once, before anything starts. */
function checked(options: UpOptions): Wish {
  const devices = Number(options.devices)
  if (!Number.isInteger(devices) || devices < 3 || devices > 100_000) throw new CliExit(exitCode.usage, `--devices takes a whole number from 3 to 100000 (one of each kind at least), not '${options.devices}'.`)
  if (options.day !== undefined && !DateTime.fromISO(options.day, { zone }).isValid) throw new CliExit(exitCode.usage, `--day takes a date like 2026-07-15, not '${options.day}'.`)
  const rate = options.rate === undefined ? undefined : Number(options.rate)
  if (rate !== undefined && !(rate >= 1 && rate <= 1000)) throw new CliExit(exitCode.usage, `--rate takes a number from 1 to 1000, not '${options.rate}'.`)
  if (options.keep && options.fresh) throw new CliExit(exitCode.usage, '--keep and --fresh exclude each other.')
  return { devices, ...(options.day === undefined ? {} : { day: options.day }), ...(rate === undefined ? {} : { rate }) }
}

/** A new story, an unfinished one where its clock stood, or the next order after a finished one. */
export function beginning(before: StoryState | undefined, wish: Wish): StoryState {
  // it may have run on for one beat after the last that was written
  if (before && (before.stage === 'provisioned' || before.stage === 'ordered')) return { ...before, clockMs: before.clockMs + 2 * beat_ms * before.plan.rate }
  if (before?.stage === 'again' || (before?.stage === 'new' && Object.keys(before.lfdis).length > 0)) return before
  if (before?.stage === 'finished') {
    const { plan } = before
    const total = plan.vens + plan.inverters + plan.chargers
    const next = planStory({ ...wish, devices: total, nowMs: Math.max(plan.closes * 1000, before.clockMs) })
    return { ...before, plan: { ...next, historyFrom: Math.floor(before.clockMs / 900_000) * 900 }, clockMs: next.opens * 1000 - leadIn_ms, stage: 'again', dispatch: null, orderKey: randomUUID() }
  }
  const plan = planStory({ ...wish, nowMs: Date.now() })
  return { plan, clockMs: plan.opens * 1000 - leadIn_ms, stage: 'new', credentials: { vens: {}, inverters: {}, chargers: {} }, lfdis: {}, dispatch: null, orderKey: randomUUID(), readingsLoaded: 0 }
}
