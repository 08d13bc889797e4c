import { createHash } from 'node:crypto'
import { Refusal, isRefusal } from '#core/error.js'
import type { Caller } from '#core/caller.js'
import type { Transact, Work } from '#core/work.js'
import type { Answer } from '#core/operator/route.js'

/** The same key with the same body is the same command: its hash covers path and body. */
export const commandHash = (method: string, url: string, body: unknown): string =>
  createHash('sha256').update(`${method} ${url}\n`).update(typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body ?? null)).digest('hex')

/**
 * CORE-013, REL-024: the first answer is stored in the transaction of its command, so a retry after a lost answer gets it. Of two at
 * once one commits; the other is refused by the key's constraint, and asks again for the first one's answer.
 */
export async function once(transact: Transact, caller: Caller, key: string | undefined, hash: string, command: (work: Work) => Promise<Answer>): Promise<Answer> {
  if (key === undefined) return await transact(command)
  const own = `${caller.user}/${key}`
  const attempt = (): Promise<Answer> => transact(async (work) => {
    const first = await work.stores.idempotency.get(caller.tenant, own)
    if (first) {
      if (first.bodyHash !== hash) throw new Refusal('conflict', 'this Idempotency-Key was used for another request')
      return first.body as Answer
    }
    const answer = await command(work)
    await work.stores.idempotency.put(caller.tenant, own, hash, answer.status ?? 200, answer, work.clock.nowMs())
    return answer
  })
  try {
    return await attempt()
  } catch (error) {
    if (!isRefusal(error) || error.kind !== 'conflict') throw error
    const first = await transact(({ stores }) => stores.idempotency.get(caller.tenant, own))
    if (!first) throw error
    return await attempt()
  }
}
