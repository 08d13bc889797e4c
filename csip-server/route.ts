import type { Served } from '#csip-server/served.js'

interface Node { readonly literal: Map<string, Node>; slot?: { name: string; node: Node }; served?: Served }

export interface Routed {
  readonly served: Served
  readonly params: Readonly<Record<string, string>>
}

/** A tree over the templates of the registry: one step per path segment, whatever the number of resources. */
export function makeRouter(registry: readonly Served[]): (path: string) => Routed | undefined {
  const root: Node = { literal: new Map() }
  for (const served of registry) {
    if (served.resource.href) insert(root, served, served.resource.href.template)
  }
  return (path) => {
    const params: Record<string, string> = {}
    let at: Node | undefined = root
    for (const segment of path.split('/').slice(1)) {
      if (segment === '') return undefined // SEP-045: a trailing or doubled slash is another, unknown address
      const next: Node | undefined = at.literal.get(segment)
      if (next) { at = next; continue }
      if (!at.slot) return undefined
      params[at.slot.name] = segment
      at = at.slot.node
    }
    return at.served ? { served: at.served, params } : undefined
  }
}

function insert(root: Node, served: Served, template: string): void {
  let at = root
  for (const segment of template.split('/').slice(1)) {
    const name = /^\{(.+)\}$/.exec(segment)?.[1]
    if (name === undefined) {
      let next = at.literal.get(segment)
      if (!next) at.literal.set(segment, next = { literal: new Map() })
      at = next
    } else {
      at.slot ??= { name, node: { literal: new Map() } }
      at = at.slot.node
    }
  }
  if (at.served) throw new Error(`two resources at ${template}`)
  at.served = served
}
