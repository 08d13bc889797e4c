import { Refusal } from '#core/error.js'

/** A lifecycle as data: for each state, which happening leads where. It neither saves nor reads the clock (style.md §7). */
export type StateTable<S extends string, H extends string> = Readonly<Record<S, Readonly<Partial<Record<H, S>>>>>

/** The next state, or a `conflict` refusal that names both; nothing changes on refusal. */
export function next<S extends string, H extends string>(table: StateTable<S, H>, state: S, happening: H, what: string): S | Refusal {
  const row = table[state] as Readonly<Partial<Record<H, S>>> | undefined
  const to = row && Object.hasOwn(row, happening) ? row[happening] : undefined
  return to ?? new Refusal('conflict', `the ${what} is ${state}, which does not allow '${happening}'`)
}

/** As `next`, but throws the refusal: for commands whose caller must hear it. */
export function advance<S extends string, H extends string>(table: StateTable<S, H>, state: S, happening: H, what: string): S {
  const to = next(table, state, happening, what)
  if (to instanceof Refusal) throw to
  return to
}
