/** CORE-020 as the pages know it; the server decides. */
export const road = ['applied', 'eligible', 'verified', 'active'] as const
export type Step = 'eligible' | 'verified' | 'active' | 'suspended' | 'withdrawn' | 'rejected'

export const nextSteps: Readonly<Record<string, readonly Step[]>> = {
  applied: ['eligible', 'rejected', 'withdrawn'],
  eligible: ['verified', 'rejected', 'withdrawn'],
  verified: ['active', 'withdrawn'],
  active: ['suspended', 'withdrawn'],
  suspended: ['active', 'withdrawn'],
  expired: ['withdrawn'],
}

/** Steps that take something away, so that they ask first. */
export const harsh: ReadonlySet<Step> = new Set(['suspended', 'withdrawn', 'rejected'])

/** What is left of the road to active, where it is more than one step. */
export function rest(state: string): readonly Step[] {
  const left = road.slice(road.indexOf(state as 'applied') + 1) as Step[]
  return road.includes(state as 'applied') && left.length > 1 ? left : []
}
