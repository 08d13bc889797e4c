import type { Caller } from '#core/caller.js'

/** Members that tell who somebody is; for the network operator they are left out of every answer, whatever route gives it. */
const identities: ReadonlySet<string> = new Set([
  'resource', 'resourceName', 'servicePoint', 'servicePoints', 'account', 'remoteId', 'remoteRef', 'byResource', 'points', 'excludedPoints', 'members', 'names', 'bindings', 'gaming', 'excluded', 'devices', 'createdBy', 'releasedBy', 'scope', 'aggregator',
])

export const gridOnly = (caller: Caller): boolean => caller.roles.length > 0 && caller.roles.every((r) => r === 'dso')

/** CORE-223: totals and counts per node, not aggregator or customer identity. Lists that are left out stay as their length. */
export function gridView(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(gridView)
  if (value === null || typeof value !== 'object') return value
  const out: Record<string, unknown> = {}
  for (const [key, member] of Object.entries(value)) {
    // whose devices an order is for is an identity, how far a stop reaches is a word
    if (!identities.has(key) || (key === 'scope' && typeof member === 'string')) out[key] = gridView(member)
    else if (Array.isArray(member)) out[`${key}Count`] = member.length
  }
  return out
}
