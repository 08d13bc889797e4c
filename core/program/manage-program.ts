import { note } from '#core/audit/note.js'
import { LocalCalendar } from '#core/baseline/calendar.js'
import type { Caller } from '#core/caller.js'
import { Refusal, type Fault } from '#core/error.js'
import { mustSeeProgram, present } from '#core/permission.js'
import type { Program } from '#core/program/program.js'
import { keepVersion } from '#core/program/versions.js'
import { Exact, minorDigits } from '#core/quantity/money.js'
import { moneyRuleFaults } from '#core/settlement/rule-faults.js'
import { methodOf } from '#core/verification/evaluate.js'
import type { Work } from '#core/work.js'

/** What an operator decides about a program; the rest is ours. */
export type ProgramTerms = Omit<Program, 'id' | 'tenant' | 'version' | 'createdAt' | 'modifiedAt' | 'programVersion'>

/** Every wrong term at once. */
export function programFaults(p: ProgramTerms): Fault[] {
  const out: Fault[] = []
  const tried = (path: string, attempt: () => unknown): void => {
    try { attempt() } catch (error) { out.push({ path, reason: (error as Error).message }) }
  }
  tried('/timeZone', () => new LocalCalendar(p.timeZone, 15))
  tried('/baseline/method', () => methodOf(p))
  tried('/currency', () => minorDigits(p.currency))
  if (![1, 5, 15, 30, 60].includes(p.intervalMinutes)) out.push({ path: '/intervalMinutes', reason: 'must be 1, 5, 15, 30 or 60' })
  const decimal = (path: string, value: string | null, most?: number): void => {
    if (value === null) return
    const ok = /^-?\d+(\.\d+)?$/.test(value) && (most === undefined || (new Exact(value).gte(0) && new Exact(value).lte(most)))
    if (!ok) out.push({ path, reason: most === undefined ? 'must be a decimal number as text' : `must be a decimal from 0 to ${most}` })
  }
  decimal('/energyPrice', p.energyPrice)
  decimal('/capacityPrice', p.capacityPrice)
  decimal('/customerShare', p.customerShare, 1)
  decimal('/paidRatioCap', p.paidRatioCap)
  if (/^[A-Z]{3}$/.test(p.currency)) out.push(...moneyRuleFaults(p.rules, p.currency))
  return out
}

function checked(terms: ProgramTerms): void {
  const faults = programFaults(terms)
  if (faults.length > 0) throw new Refusal('invalid', `${faults.length === 1 ? 'a term' : `${faults.length} terms`} of the program cannot be taken`, { faults })
}

export async function createProgram(work: Work, caller: Caller, terms: ProgramTerms): Promise<Program> {
  checked(terms)
  const program = await work.stores.programs.insert({ ...terms, id: work.ids.uuid(), tenant: caller.tenant, programVersion: 1 })
  await keepVersion(work, program)
  await note(work, caller, [{ action: 'program.create', entity: program.id, after: program }])
  return program
}

/** A change of rules is a new program version; what was issued under the old one keeps it (REL-068). */
export async function changeProgram(work: Work, caller: Caller, idOrName: string, change: Partial<ProgramTerms>, ifVersion?: number): Promise<Program> {
  const before = present(await work.stores.programs.find(caller.tenant, idOrName), 'program', idOrName)
  mustSeeProgram(caller, before.id)
  if (ifVersion !== undefined && ifVersion !== before.version) throw new Refusal('stale', `the program is at version ${before.version}`)
  const next = { ...before, ...change, programVersion: before.programVersion + 1 }
  checked(next)
  const after = await work.stores.programs.update(next)
  await keepVersion(work, after)
  await note(work, caller, [{ action: 'program.change', entity: before.id, before, after }])
  return after
}
