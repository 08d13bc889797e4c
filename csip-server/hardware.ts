import { LRUCache } from 'lru-cache'
import type { Clock, Timer } from '#core/port/clock.js'
import type { Log } from '#core/port/log.js'
import type { DocumentStore } from '#core/port/store/document.js'

/** The hardwareModuleName of a device's certificate (RFC 4108 §5). */
export interface Hardware {
  readonly hwType: string
  readonly hwSerialNum: string
}

export interface HardwareBook {
  /** A device of an accepted certificate is here. */
  met(lfdi: string, hardware: Hardware): void
  of(lfdi: string): Promise<Hardware | undefined>
  stop(): Promise<void>
}

export const hardwareKind = 'csip/Hardware'
const every_ms = 1000

/**
 * SEP-211: what a device's certificate says it is, kept beside its record under the LFDI, which is the hash of that certificate: it never changes, so it is written
 * once. A fleet that comes at once is written in one go a second, and no handshake waits for it.
 */
export function makeHardwareBook({ documents, tenant, clock, log }: { documents: DocumentStore; tenant: string; clock: Clock; log: Log }): HardwareBook {
  const written = new LRUCache<string, true>({ max: 200_000 }), waiting = new Map<string, Hardware>()
  let timer: Timer | undefined, writing: Promise<void> = Promise.resolve()
  async function write(): Promise<void> {
    timer = undefined
    const batch = [...waiting]
    waiting.clear()
    try {
      await documents.insertMany<Hardware>(batch.map(([id, body]) => ({ tenant, kind: hardwareKind, id, parent: '', body })), clock.nowMs(), { onConflict: 'skip' })
    } catch (error) {
      // said again at its next connection
      for (const [lfdi] of batch) written.delete(lfdi)
      log.warn({ err: error, clause: 'SEP-211' }, 'what devices are could not be written down')
    }
  }
  return {
    met(lfdi, { hwType, hwSerialNum }) {
      if (written.has(lfdi)) return
      written.set(lfdi, true)
      waiting.set(lfdi, { hwType, hwSerialNum })
      timer ??= clock.after(every_ms * clock.rate, () => { writing = write() })
    },
    of: async (lfdi) => waiting.get(lfdi.toUpperCase()) ?? (await documents.get<Hardware>(tenant, hardwareKind, lfdi.toUpperCase()))?.body,
    async stop() {
      timer?.cancel()
      await writing
      if (waiting.size > 0) await write()
    },
  }
}
