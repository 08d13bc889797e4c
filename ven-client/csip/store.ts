import { join } from 'node:path'
import { diskKept, memoryKept, type KeptStore } from '#ven-client/kept.js'

/** Measurements of one interval that the server has not taken yet; the key is its start. */
export interface WaitingReadings {
  readonly key: string
  readonly start: number
  readonly readings: readonly object[]
}

/** What was said of one event, so that a restart does not say it again; the key is its mRID. */
export interface SaidOf {
  readonly key: string
  readonly statuses: readonly number[]
  readonly lastSeen: number
}

/** What a device keeps over a restart and an outage: readings that wait, and which responses were given. */
export interface CsipStore {
  readonly readings: KeptStore<WaitingReadings>
  readonly said: KeptStore<SaidOf>
}

export const memoryCsipStore = (): CsipStore => ({ readings: memoryKept(), said: memoryKept() })
/** One folder for one device. */
export const diskCsipStore = (folder: string): CsipStore => ({ readings: diskKept(join(folder, 'readings')), said: diskKept(join(folder, 'said')) })
