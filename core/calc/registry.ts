import { baselineKinds } from '#core/calc/baseline-kinds.js'
import { dispatchKinds } from '#core/calc/dispatch-kinds.js'
import { settlementKinds } from '#core/calc/settlement-kinds.js'
import type { Kind } from '#core/calc/kind.js'

/** Every calculation that `loadstone calc KIND` offers (contract.md §2). */
export const kinds: readonly Kind[] = [...baselineKinds, ...dispatchKinds, ...settlementKinds]

export const kindOf = (name: string): Kind | undefined => kinds.find((k) => k.kind === name)
