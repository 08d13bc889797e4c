import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { Refusal, isRefusal } from '#core/error.js'
import { problem } from '#core/operator/error-map.js'
import { addresses, listen, type Listening } from '#main/listen.js'
import type { BuildOptions } from '#main/shape.js'

const firstPause_ms = 250, longestPause_ms = 2000

/**
 * REL-004: a server whose database is absent stays up, alive but not ready, and asks again with growing pauses. Until then the operator's
 * door says so on /healthz and /readyz; the devices' doors stay shut, so that nothing is promised that cannot be kept.
 */
export async function patiently<T>(options: BuildOptions, open: () => Promise<T>): Promise<T> {
  let door: { reason: (text: string) => void; close: () => Promise<void> } | undefined
  try {
    for (let wait_ms = firstPause_ms; ; wait_ms = Math.min(longestPause_ms, wait_ms * 2)) {
      try {
        return await open()
      } catch (error) {
        if (!options.waitForDatabase || !isRefusal(error) || error.kind !== 'unavailable') throw error
        const reason = reasonOf(error)
        if (!door) options.log.warn({ reason }, 'the database does not answer; waiting for it')
        door ??= await waitingDoor(options)
        door.reason(reason)
        await pause(wait_ms, undefined, options.signal ? { signal: options.signal } : {}).catch(() => { throw new Refusal('unavailable', `stopped while waiting for the database (${reason})`, { cause: error }) })
      }
    }
  } finally {
    await door?.close()
  }
}

/** The sentence with what the system said; never the URL, which may hold a password. */
function reasonOf(error: Refusal): string {
  const cause = error.cause as { code?: string; message?: string; errors?: readonly { code?: string }[] } | undefined
  const code = cause?.code ?? cause?.errors?.[0]?.code
  return code === undefined ? error.message : `${error.message} (${code})`
}

async function waitingDoor({ settings, only }: BuildOptions): Promise<{ reason: (text: string) => void; close: () => Promise<void> }> {
  let reason = ''
  if ((only && !only.includes('operator')) || !settings.operatorPort) return { reason: () => undefined, close: async () => undefined }
  const server = createServer((request, response) => { answer(request, response, reason) })
  const listening: Listening = await listen(server, settings.operatorPort, addresses(settings.host, 'loopback'), 'operator door')
  return {
    reason: (text) => { reason = text },
    close: async () => {
      const closed = listening.close()
      server.closeAllConnections()
      await closed
    },
  }
}

function answer(request: IncomingMessage, response: ServerResponse, reason: string): void {
  const path = (request.url ?? '/').split('?')[0] ?? '/'
  const [status, type, body] = path === '/healthz' ? [200, 'application/json', { status: 'ok' }] as const
    : path === '/readyz' ? [503, 'application/json', { ready: false, parts: { database: { ok: false, reason } } }] as const
      : [503, 'application/problem+json', problem('unavailable', 503, 'Not available now', `The database does not answer yet: ${reason}.`, path.slice(0, 200))] as const
  response.writeHead(status, { 'content-type': type, 'connection': 'close', ...(status === 503 ? { 'retry-after': '2' } : {}) })
  response.end(JSON.stringify(body))
  request.resume()
}
