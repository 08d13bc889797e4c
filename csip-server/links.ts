import type { TSchema } from 'typebox'
import type { Served } from '#csip-server/served.js'

/** A link that a type has and that we serve: which member, to what, and whether it counts (SEP-054). */
export interface LinkTo {
  readonly member: string
  readonly target: Served
  readonly counts: boolean
}

const membersOf = (schema: TSchema): string[] => Object.keys((schema as { properties?: object }).properties ?? {})

/**
 * Links are derived: member `XLink` of a type points at the served resource called X whose address needs nothing
 * that this one does not have, the nearest of several. A type with a link to something we do not serve leaves it out.
 */
export function linksOf(served: Served, registry: readonly Served[]): LinkTo[] {
  const slots = new Set(served.resource.href?.names)
  return membersOf(served.resource.schema).filter((m) => m.endsWith('Link') && !served.withoutLinks?.includes(m)).flatMap((member) => {
    const name = member.slice(0, -'Link'.length)
    const target = registry
      .filter((s) => s.name === name && s.resource.href?.names.every((n) => slots.has(n)))
      .sort((a, b) => (b.resource.href?.names.length ?? 0) - (a.resource.href?.names.length ?? 0))[0]
    return target ? [{ member, target, counts: target.resource.lists !== undefined }] : []
  })
}
