import { Refusal } from '#core/error.js'
import type { Ids } from '#core/port/ids.js'
import type { Log } from '#core/port/log.js'
import type { Outbound } from '#vtn/webhook/post.js'

/** The echoed value: bare, JSON-quoted, or a member of an object (OA-121). */
export function echoes(body: string, value: string): boolean {
  const text = body.trim()
  if (text === value || text === JSON.stringify(value)) return true
  try {
    const read: unknown = JSON.parse(text)
    return typeof read === 'object' && read !== null && Object.values(read).includes(value)
  } catch {
    return false
  }
}

/** OA-121: proof that the receiver wants to be called, before anything is stored. */
export function challenge(needs: { outbound: Outbound; ids: Ids; log: Log; mode: 'required' | 'warn' | 'off' }) {
  const { outbound, ids, log, mode } = needs
  return async (callbackUrl: string, bearerToken: string | undefined): Promise<void> => {
    if (mode === 'off') return
    const value = ids.hex(16), url = new URL(callbackUrl)
    url.searchParams.set('echo', value)
    const failed = await outbound.get(url.href, bearerToken ? { authorization: `Bearer ${bearerToken}` } : {})
      .then((a) => (a.status === 200 && echoes(a.body, value) ? undefined : `answered ${a.status} without the value`), (error: unknown) => reason(error))
    if (failed === undefined) return
    if (mode === 'required') throw new Refusal('invalid', `callbackUrl did not echo the challenge (OA-121): ${failed}`, { faults: [{ path: '/objectOperations', reason: failed }] })
    log.warn({ clause: 'OA-121', callbackUrl, failed }, 'a receiver did not echo the challenge')
  }
}

/** What may be said of a failed connection: our own refusals in words, everything else as "could not be reached". */
export const reason = (error: unknown): string => {
  const inner = error instanceof Error && error.cause instanceof Refusal ? error.cause : error
  return inner instanceof Refusal ? inner.message : 'could not be reached'
}
