import { createHmac } from 'node:crypto'

/** CORE-220: HMAC-SHA-256 with the tenant's key over `scope|id`, hex, first 32 characters; a new scope or key breaks linkage. */
export function pseudonym(key: Uint8Array, scope: string, id: string): string {
  return createHmac('sha256', key).update(`${scope}|${id}`, 'utf8').digest('hex').slice(0, 32)
}
