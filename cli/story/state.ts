import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import type { FleetCredentials } from '#sim/fleet.js'
import type { StoryPlan } from '#cli/story/plan.js'

/** Where a story stands, kept in the data folder so that a killed one goes on with `--keep`. */
export interface StoryState {
  readonly plan: StoryPlan
  /** Where the story's clock stood when this was written, epoch ms. */
  readonly clockMs: number
  readonly stage: 'new' | 'provisioned' | 'ordered' | 'finished'
  readonly credentials: FleetCredentials
  /** LFDI by device name. */
  readonly lfdis: Readonly<Record<string, string>>
  readonly dispatch: string | null
  /** Idempotency key of the order: asked twice, it is one order. */
  readonly orderKey: string
  readonly readingsLoaded: number
}

export interface StateFile {
  read(): StoryState | undefined
  write(state: StoryState): void
}

/** Written whole or not at all; it holds the demo devices' secrets, so only the owner may read it. */
export function stateFile(path: string): StateFile {
  return {
    read: () => (existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as StoryState) : undefined),
    write(state) {
      writeFileSync(`${path}.part`, JSON.stringify(state), { mode: 0o600 })
      renameSync(`${path}.part`, path)
    },
  }
}
