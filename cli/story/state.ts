import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import type { FleetCredentials } from '#sim/fleet.js'
import type { StoryPlan } from '#cli/story/plan.js'

/** Where a story stands, kept in the data folder so that a killed one goes on with `--keep`. */
export interface StoryState {
  readonly plan: StoryPlan
  /** Where the story's clock stood when this was written, epoch ms. */
  readonly clockMs: number
  readonly stage: 'new' | 'again' | 'provisioned' | 'ordered' | 'finished'
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
  /** The clock alone: written often, so that a story that goes on never sees a time that has been. */
  tick(clockMs: number): void
}

/** How often the clock is written, machine ms. */
export const beat_ms = 200

/** Written whole or not at all; it holds the demo devices' secrets, so only the owner may read it. */
export function stateFile(path: string): StateFile {
  const clock = `${path}.clock`
  const ticked = (): number => (existsSync(clock) ? Number(readFileSync(clock, 'utf8')) || 0 : 0)
  return {
    read() {
      if (!existsSync(path)) return undefined
      const state = JSON.parse(readFileSync(path, 'utf8')) as StoryState
      return { ...state, clockMs: Math.max(state.clockMs, ticked()) }
    },
    tick(clockMs) {
      writeFileSync(`${clock}.part`, String(clockMs))
      renameSync(`${clock}.part`, clock)
    },
    write(state) {
      writeFileSync(`${path}.part`, JSON.stringify(state), { mode: 0o600 })
      renameSync(`${path}.part`, path)
    },
  }
}
