import type { Method, Resource } from '#core/describe/resource.js'
import type { Document, DocumentQuery } from '#core/port/store/document.js'
import type { PollRates, Profile } from '#csip-server/config.js'
import type { CsipContext } from '#csip-server/context.js'
import type { Devices } from '#csip-server/devices.js'
import type { Peer } from '#csip-server/identity.js'
import type { Page } from '#csip-server/page.js'

/** A value of some description; what it holds is checked by the description, not by the compiler. */
export type Value = Record<string, unknown>
export type Doc = Document<Value>

/** One request on its way: who, what, where, and how long the answer stays right. */
export interface Exchange {
  readonly ctx: CsipContext
  readonly peer: Peer
  readonly params: Readonly<Record<string, string>>
  /** The EndDevice of an /edev/{edev}/… path, once admitted. */
  readonly endDevice?: Doc
  readonly devices: Devices
  /** Scheme, host and port that the client used, when it said so (SEP-033). */
  readonly host?: string | undefined
  /** What is at an address of ours for a peer (throws as the door would): what a subscription stands on. */
  readonly look: (peer: Peer, path: string) => Promise<Seen>
  /** Reads another served thing for the same peer: link counts, parts of a notification. */
  readonly at: (params: Readonly<Record<string, string>>) => Exchange
  /** Says that the answer changes by itself at this instant. */
  readonly until: (instant: number) => void
}

/** A resource as a peer has it now; the fingerprint tells one state from another. */
export interface Seen {
  readonly served: Served
  readonly value: Value | undefined
  readonly fingerprint: string
  /** When it changes by itself. */
  readonly until: number
}

/** One member of a list: the id that its address ends in, and what it says. */
export interface Item {
  readonly id: string
  readonly value: Value
}

export interface Listed {
  readonly all: number
  readonly items: readonly Item[]
}

export interface Written {
  readonly created: boolean
  /** Path of the thing, without the configured prefix. */
  readonly href: string
}

/** What we do beyond the derivation: each part replaces the derived one. */
export interface Behaviour {
  readonly get?: (x: Exchange) => Promise<Value | undefined>
  readonly list?: (x: Exchange, page: Page) => Promise<Listed>
  readonly count?: (x: Exchange) => Promise<number>
  /** A member of the derived list that comes before all others, and its place without that. */
  readonly lead?: (x: Exchange) => Promise<{ id: string; place: number } | undefined>
  /** Narrows the derived list. */
  readonly select?: (x: Exchange) => Promise<Partial<DocumentQuery>>
  /** The value of a stored document for this peer; undefined = not there for it. */
  readonly present?: (x: Exchange, doc: Doc) => Promise<Value | undefined> | Value | undefined
  /** Fills what the server owns and checks what no schema says, before a derived write. */
  readonly complete?: (x: Exchange, value: Value, before: Doc | undefined) => Promise<Value> | Value
  readonly put?: (x: Exchange, value: Value) => Promise<Written>
  readonly post?: (x: Exchange, value: Value, root: string) => Promise<Written>
  readonly remove?: (x: Exchange) => Promise<void>
  /**
   * What makes a POST the same word when it comes again, as after a 503: the first one's address is given, and nothing is doubled.
   * Without it every POST is another member.
   */
  readonly says?: (value: Value) => Value
  /** After a derived write was stored; once more when the same word comes again, so it must bear being done twice (SEP-047). */
  readonly stored?: (x: Exchange, doc: Doc) => Promise<void>
}

export interface ServeForm {
  /** Name in links when one list is served in two places (ActiveDERControlList …). */
  readonly as?: string
  /** What an operator may do besides what a client may (the D and O marks of facts/methods.csv). */
  readonly operator?: readonly Method[]
  /** Sort keys of the list that holds it, as in facts/list-order.csv; a leading time makes `a` work (SEP-052). */
  readonly sort?: readonly string[]
  readonly behaviour?: Behaviour
  /** Not sorted by a time, but `sort1` is when it changed: `a` works where the profile wants that (SEP-052). */
  readonly changedInSort1?: boolean
  /** Further document kinds an answer is made of, for the cache. */
  readonly reads?: readonly string[]
  /** Roots a POST takes besides the list's own member. */
  readonly accepts?: readonly Resource[]
  /** Link members of the type that we do not print. */
  readonly withoutLinks?: readonly string[]
  /** Links whose counts are no change of the thing itself: a subscriber is not told of them (SEP-156). */
  readonly quietCounts?: readonly string[]
  readonly pollRate?: keyof PollRates
  readonly subscribable?: boolean
  /** Descriptions of its own that a stored value may be of, named by its member `type`: it is written as that one. */
  readonly forms?: readonly Resource[]
  /** Whatever is stored below it goes with it, although its behaviour removes it (SEP-106). */
  readonly takesBelow?: boolean
  /** A first PUT answers 204 like every other one (SEP-141). */
  readonly quietFirstPut?: boolean
  /** Location with every PUT (SEP-042). */
  readonly locationAlways?: boolean
  /** Served in the CSIP-AUS profiles only. */
  readonly aus?: boolean
  /** Served in this profile only. */
  readonly only?: Profile
  /** Outside the configured prefix. */
  readonly atRoot?: boolean
}

export interface Served extends ServeForm {
  readonly resource: Resource
  readonly name: string
  readonly kind: string
}

export const kindOf = (name: string): string => `csip/${name}`

/** One line of the registry. */
export const serve = (resource: Resource, form: ServeForm = {}): Served =>
  Object.freeze({ ...form, resource, name: form.as ?? resource.name, kind: kindOf(resource.lists?.item.name ?? resource.name) })

/** How a value is written: most as what is served there, a Response as the kind that it was posted as. */
export const formOf = (served: Served, value: Value): Resource => served.forms?.find((f) => f.name === value.type) ?? served.resource
