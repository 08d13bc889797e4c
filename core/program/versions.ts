import type { Program } from '#core/program/program.js'
import type { Stores } from '#core/port/store/index.js'
import type { Work } from '#core/work.js'

const kind = 'core/ProgramVersion'

/** The rules of a program as they stood; events and enrolments point at one (core-dr.md §3), so it is kept for ever. */
export async function keepVersion({ stores, clock, ids }: Work, program: Program): Promise<void> {
  await stores.documents.insert<Program>({ tenant: program.tenant, kind, id: ids.uuid(), parent: program.id, key: String(program.programVersion), sort1: program.programVersion, body: program }, clock.nowMs())
}

/** The program with the rules of a version: what was issued under old rules is judged by them (REL-068, REL-083). */
export async function programAt(stores: Stores, tenant: string, id: string, version: number): Promise<Program | undefined> {
  const now = await stores.programs.get(tenant, id)
  if (!now || now.programVersion === version) return now
  return (await stores.documents.byKey<Program>(tenant, kind, id, String(version)))?.body ?? now
}
