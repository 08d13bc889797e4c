import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { Agent, fetch } from 'undici'
import { Refusal } from '#core/error.js'
import type { Log } from '#core/port/log.js'
import type { Target } from '#main/telemetry/config.js'

const zip = promisify(gzip), retried = new Set([429, 502, 503, 504]), tries = 3

/** One OTLP/HTTP door. `send` never throws: a collector that is away costs telemetry, never work; the log says so once. */
export interface Sender {
  send(body: object): Promise<boolean>
  close(): Promise<void>
}

export function otlpSender(target: Target, log: Log, pause: (ms: number) => Promise<void>): Sender {
  const read = (file: string | undefined): string | undefined => {
    if (file === undefined) return undefined
    try { return readFileSync(file, 'utf8') } catch (error) { throw new Refusal('invalid', 'The telemetry settings cannot be used.', { faults: [{ path: 'OTEL_EXPORTER_OTLP_*CERTIFICATE, _KEY', reason: `${file} cannot be read: ${(error as Error).message}` }] }) }
  }
  const { ca, cert, key } = { ca: read(target.ca), cert: read(target.cert), key: read(target.key) }
  const dispatcher = new Agent({ connections: 1, connect: { timeout: target.timeout_ms, ...(ca === undefined ? {} : { ca }), ...(cert === undefined ? {} : { cert }), ...(key === undefined ? {} : { key }) } })
  const closed = new AbortController()
  let well = true

  const said = (ok: boolean, reason: string): boolean => {
    if (ok !== well) log[ok ? 'info' : 'warn']({ url: target.url, clause: 'UX-072', ...(ok ? {} : { reason }) }, ok ? 'telemetry is taken again' : 'telemetry is not taken')
    well = ok
    return ok
  }

  async function attempt(body: Buffer): Promise<{ ok: boolean; again: boolean; reason: string }> {
    try {
      const answer = await fetch(target.url, {
        method: 'POST', body: new Uint8Array(body), dispatcher, redirect: 'manual', signal: AbortSignal.any([closed.signal, AbortSignal.timeout(target.timeout_ms)]),
        headers: { ...target.headers, 'content-type': 'application/json', ...(target.gzip ? { 'content-encoding': 'gzip' } : {}) },
      })
      await answer.body?.cancel()
      return { ok: answer.ok, again: retried.has(answer.status), reason: `status ${answer.status}` }
    } catch (error) {
      return { ok: false, again: !closed.signal.aborted, reason: error instanceof Error ? String((error.cause as Error | undefined)?.message ?? error.message) : String(error) }
    }
  }

  return {
    async send(body) {
      const plain = Buffer.from(JSON.stringify(body)), bytes = target.gzip ? await zip(plain) : plain
      for (let tried = 1; ; tried++) {
        const { ok, again, reason } = await attempt(bytes)
        if (ok || !again || tried === tries || closed.signal.aborted) return said(ok, reason)
        await pause(1000 * 2 ** (tried - 1))
      }
    },
    async close() {
      closed.abort()
      await dispatcher.destroy()
    },
  }
}
