import type { TSchema } from 'typebox'
import { template, type Href } from '#core/describe/href.js'

export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE'

/** What one resource of a standard is: a `const` in the room's `wire/`, listed once in the room's `registry.ts`. */
export interface Resource<S extends TSchema = TSchema> {
  /** The standard's own name, letter for letter; also the XML root and the OpenAPI schema name. */
  readonly name: string
  /** Where the standard defines it. */
  readonly clause: string
  readonly schema: S
  /** One template for printing and parsing links; absent for parts that have no address of their own. */
  readonly href?: Href
  readonly methods: readonly Method[]
  /** For a list: the member that repeats, and what it lists. */
  readonly lists?: { readonly member: string; readonly item: Resource }
}

export function resource<S extends TSchema>(
  name: string,
  clause: string,
  schema: S,
  at: { href?: string; methods?: readonly Method[]; lists?: { member: string; item: Resource } } = {},
): Resource<S> {
  return Object.freeze({
    name, clause, schema, methods: at.methods ?? [],
    ...(at.href === undefined ? {} : { href: template(at.href) }),
    ...(at.lists === undefined ? {} : { lists: at.lists }),
  })
}
