import type { Caller } from '#core/caller.js'
import { Refusal } from '#core/error.js'

/** A thing outside the caller's programs answers as if it were absent (SEC-030, SEC-031). */
export function seesProgram(caller: Caller, program: string): boolean {
  return caller.programs === undefined || caller.programs.includes(program)
}

export function mustSeeProgram(caller: Caller, program: string): void {
  if (!seesProgram(caller, program)) throw absent('program', program)
}

export const absent = (what: string, reference: string): Refusal => new Refusal('notFound', `there is no ${what} '${reference}'`)

/** Throws `notFound` for undefined: an unknown and a foreign id look the same. */
export function present<T>(value: T | undefined, what: string, reference: string): T {
  if (value === undefined) throw absent(what, reference)
  return value
}
