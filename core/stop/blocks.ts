import type { Stores } from '#core/port/store/index.js'

/** What may not be controlled until it is lifted (CORE-204): everything, one program, one grid node, or one resource. */
export interface Stop {
  readonly scope: 'all' | 'program' | 'node' | 'resource'
  /** Program id, node name or resource id; '' for all. */
  readonly subject: string
  readonly reason: string
  readonly by: string
  readonly at: number
  readonly liftedAt?: number
}

export const kind = 'core/Stop'

/** Answers "may this be controlled?". */
export interface Blocks {
  blocked(what: { program: string; resource?: string; path?: readonly string[] }): string | undefined
}

export function blocksOf(stops: readonly Stop[]): Blocks {
  const active = stops.filter((s) => s.liftedAt === undefined)
  const names = (scope: Stop['scope']): Set<string> => new Set(active.filter((s) => s.scope === scope).map((s) => s.subject))
  const all = active.some((s) => s.scope === 'all'), programs = names('program'), nodes = names('node'), resources = names('resource')
  return {
    blocked({ program, resource, path = [] }) {
      if (all) return 'everything is stopped'
      if (programs.has(program)) return 'the program is stopped'
      const node = path.find((n) => nodes.has(n))
      if (node !== undefined) return `node ${node} is stopped`
      return resource !== undefined && resources.has(resource) ? 'the resource is stopped' : undefined
    },
  }
}

export async function blocks(stores: Stores, tenant: string): Promise<Blocks> {
  return blocksOf((await stores.documents.list<Stop>(tenant, { kind, parent: 'active', limit: 10_000 })).map((d) => d.body))
}
