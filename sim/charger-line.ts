import { RPCClient } from 'ocpp-rpc'
import { dialect16 } from '#sim/charger-16.js'
import type { Diary } from '#sim/device.js'
import type { Log } from '#ven-client/log.js'

export type OcppVersion = '1.6' | '2.0.1' | '2.1'
export type Payload = Record<string, unknown>
export interface Unsent { action: string; payload: Payload }

/** A station that loses the network now and then: for so many seconds of its clock, so often. */
export interface OfflinePeriods {
  readonly every_s: number
  readonly for_s: number
}

export interface LineOptions {
  readonly stationId: string
  /** `wss://host:9001/ocpp`; the station adds its id. */
  readonly url: string
  readonly password: string
  /** What it speaks; 2.0.1 unless said. */
  readonly version?: OcppVersion
  readonly ca?: string
  readonly insecure?: boolean
  readonly spread_s?: number
  readonly offline?: OfflinePeriods
}

/** Waits between attempts: they double to 30 s, each with a random part, so that a fleet never comes back in step (REL-043). */
export const backoff = (random: () => number) => ({ initialDelay: 500 + Math.round(random() * 1500), maxDelay: 30_000, factor: 2, randomisationFactor: 0.5 })

/** A station's connection: its CALLs in order, and what waits for the connection (E13). Timers run on the station's clock. */
export interface Line {
  readonly rpc: RPCClient
  readonly open: boolean
  /** Says it in the words of the connection; what 1.6 has no word for is not said. */
  say(action: string, payload: Payload): Promise<unknown>
  /** Messages about transactions wait for the connection, in order; at most so many. */
  queue(action: string, payload: Payload): void
  flush(): Promise<void>
  readonly outbox: Unsent[]
  on<P>(action: string, answer: (params: P) => Payload): void
  connect(): void
  stop(): Promise<void>
}

export function chargerLine(options: LineOptions, { log, diary, random, later, accepted, outbox }: {
  log: Log; diary: Diary; random: () => number; later(ms: number, task: () => void): void
  /** May it speak of more than its boot? */
  accepted(): boolean
  outbox: Unsent[]
}): Line {
  const version = options.version ?? '2.0.1', dialect = version === '1.6' ? dialect16() : undefined
  let sending = false, stopped = false, away = false
  const rpc = new RPCClient({
    endpoint: options.url.replace(/\/$/, ''), identity: options.stationId, password: options.password, protocols: [`ocpp${version}`], strictMode: false,
    callTimeoutMs: 30_000, pingIntervalMs: 60_000, reconnect: true, maxReconnects: Infinity,
    backoff: backoff(random),
    wsOpts: { ...(options.ca ? { ca: options.ca } : {}), ...(options.insecure ? { rejectUnauthorized: false } : {}), perMessageDeflate: false },
  } as ConstructorParameters<typeof RPCClient>[0])
  rpc.on('badMessage', () => undefined)
  rpc.on('socketError', () => undefined)
  rpc.on('disconnect', () => { diary.connected = false })


  async function say(action: string, payload: Payload): Promise<unknown> {
    const worded = dialect ? dialect.out(action, payload) : { action, payload }
    if (!worded) return {}
    const answer = await rpc.call(worded.action, worded.payload)
    dialect?.heard(action, payload, answer as Payload)
    return answer
  }

  async function flush(): Promise<void> {
    if (sending || !accepted()) return
    sending = true
    try {
      for (let first = outbox[0]; first && rpc.state === RPCClient.OPEN; first = outbox[0]) {
        const { action, payload } = first
        await say(action, payload)
        outbox.shift()
        if (payload.meterValue) diary.readingsSent += 1
      }
    } catch (error) {
      diary.lastError = (error as Error).message
      if ((error as { rpcErrorCode?: string }).rpcErrorCode) outbox.shift()      // the CSMS answered: the same again would not be better
      if (!stopped) later(20_000, () => void flush())
    } finally {
      sending = false
    }
  }

  /** The first connection is retried as later ones are; ocpp-rpc gives up on it alone. */
  function connect(attempt = 0): void {
    if (stopped || away) return
    rpc.connect().catch((error: unknown) => {
      const { code, message } = error as { code?: unknown; message: string }
      diary.lastError = typeof code === 'string' ? `The CSMS at ${options.url} cannot be reached: ${code}.` : message
      log.debug({ station: options.stationId, error: diary.lastError }, 'not connected')
      if (!stopped) setTimeout(() => connect(attempt + 1), Math.min(30_000, 500 * 2 ** attempt) * (0.5 + random())).unref()
    })
  }

  /** The network goes, and comes back: no close frame reaches anyone, the meter runs on, and what happened is told later. */
  function goAway(periods: OfflinePeriods): void {
    later(periods.every_s * 1000, () => {
      if (stopped) return
      away = true
      void rpc.close({ code: 1000, reason: '', force: true } as never).catch(() => undefined)
      later(periods.for_s * 1000, () => {
        away = false
        connect()
        goAway(periods)
      })
    })
  }
  if (options.offline) goAway(options.offline)

  return {
    rpc, outbox, say, flush, connect,
    get open() { return rpc.state === RPCClient.OPEN },
    queue(action, payload) {
      if (outbox.length >= 500) outbox.shift()
      // E04: what could not be said at once says so.
      outbox.push({ action, payload: action === 'TransactionEvent' && rpc.state !== RPCClient.OPEN ? { ...payload, offline: true } : payload })
      void flush()
    },
    on: <P>(action: string, answer: (params: P) => Payload): void => rpc.handle(action, ({ params }) => {
      const asked = params as Payload
      return Promise.resolve(dialect ? dialect.back(action, asked, answer(dialect.in(action, asked) as P)) : answer(asked as P))
    }),
    async stop() {
      stopped = true
      await rpc.close({ code: 1000, reason: '' }).catch(() => undefined)
    },
  }
}
