import { allocateMerit, type MeritInput } from '#core/dispatch/merit.js'
import { allocateProportional } from '#core/dispatch/proportional.js'
import { allocateRotation } from '#core/dispatch/rotation.js'
import type { Allocation } from '#core/dispatch/candidate.js'

export type { Allocation, BindingConstraint, Candidate } from '#core/dispatch/candidate.js'
export type { Caps } from '#core/dispatch/caps.js'

export interface AllocateInput extends MeritInput {
  readonly mode?: 'merit' | 'proportional' | 'rotation' | undefined
}

/** CORE-061: the modes that answer at once; `optimal` is in optimal.ts because it waits for a solver in a worker. */
export function allocate(input: AllocateInput): Allocation {
  switch (input.mode ?? 'merit') {
    case 'merit': return allocateMerit(input)
    case 'proportional': return allocateProportional(input)
    case 'rotation': return allocateRotation(input)
  }
}
