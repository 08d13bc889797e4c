/** One template prints and parses a link, so no link is decoded by hand. `{name}` is one path segment. */
export interface Href {
  readonly template: string
  readonly names: readonly string[]
  /** Throws when a value is missing; values are percent-encoded. */
  print(values: Readonly<Record<string, string | number>>): string
  /** The values of a matching path, undefined otherwise. */
  parse(path: string): Record<string, string> | undefined
  /** The template as fastify writes it: `/edev/:edev`. */
  readonly route: string
}

const slot = /\{([A-Za-z0-9_]+)\}/g

export function template(text: string): Href {
  const names = [...text.matchAll(slot)].map((m) => m[1] as string)
  const pattern = new RegExp(`^${text.replace(/[.*+?^$()|[\]\\]/g, '\\$&').replace(slot, '([^/]+)')}$`)
  return {
    template: text,
    names,
    route: text.replace(slot, ':$1'),
    print: (values) => text.replace(slot, (_, name: string) => {
      const value = values[name]
      if (value === undefined) throw new Error(`href ${text} needs '${name}'`)
      return encodeURIComponent(value)
    }),
    parse(path) {
      const found = pattern.exec(path)
      if (!found) return undefined
      try {
        return Object.fromEntries(names.map((name, i) => [name, decodeURIComponent(found[i + 1] as string)]))
      } catch {
        return undefined
      }
    },
  }
}
