import type { Clock, Timer } from '#core/port/clock.js'
import { indefinite } from '#certs/authority.js'
import type { CertificateRegistry } from '#certs/registry.js'

export interface Guarded {
  /** LFDI or fingerprint of the peer's leaf. */
  readonly lfdi: string
  /** Key identifiers of the CAs above it. */
  readonly issuers?: readonly string[]
  readonly notAfterMs: number
}

/** One guard a door: it closes live connections whose certificate is revoked or runs out (SEC-007, SEP-007). */
export interface ConnectionGuard {
  /** Whether a request on this connection may still be served. */
  holds(peer: Guarded): boolean
  /** Watches until `release`; `close` is called at most once. */
  watch(peer: Guarded, close: (why: 'revoked' | 'expired') => void): () => void
  readonly watched: number
  stop(): void
}

export function connectionGuard(registry: CertificateRegistry, clock: Clock): ConnectionGuard {
  const byId = new Map<string, Set<(why: 'revoked' | 'expired') => void>>()
  const forget = registry.onRevoked(({ id }) => { for (const close of byId.get(id) ?? []) close('revoked') })
  let watched = 0
  return {
    holds: (peer) => clock.nowMs() <= peer.notAfterMs && ![peer.lfdi, ...peer.issuers ?? []].some((id) => registry.isBlocked(id)),
    watch(peer, close) {
      const ids = [peer.lfdi, ...peer.issuers ?? []]
      let timer: Timer | undefined, open = true
      const end = (): boolean => {
        if (!open) return false
        open = false
        watched -= 1
        timer?.cancel()
        for (const id of ids) {
          const set = byId.get(id)
          set?.delete(cut)
          if (set?.size === 0) byId.delete(id)
        }
        return true
      }
      const cut = (why: 'revoked' | 'expired'): void => { if (end()) close(why) }
      for (const id of ids) byId.set(id, (byId.get(id) ?? new Set()).add(cut))
      watched += 1
      if (peer.notAfterMs < indefinite) timer = clock.after(peer.notAfterMs - clock.nowMs() + 1, () => cut('expired'))
      return () => { end() }
    },
    get watched() { return watched },
    stop: forget,
  }
}
