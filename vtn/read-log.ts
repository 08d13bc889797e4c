import type { Noun } from '#vtn/registry.js'

/** Who has read what: the event read log of CORE-102, and READ notifications where they are wanted (OA-123). */
export interface ReadLog {
  /** A VEN was shown these events. */
  saw(clientID: string, events: readonly string[]): void
  /** Objects were read; tells READ subscribers. */
  told(noun: Noun, ids: readonly string[]): Promise<void>
  /** Ends what is being noted; what is not, is noted at the next read. */
  stop(): Promise<void>
}
