import { note } from '#core/audit/note.js'
import type { Caller } from '#core/caller.js'
import { present } from '#core/permission.js'
import type { Document } from '#core/port/store/document.js'
import type { Stores } from '#core/port/store/index.js'
import type { Work } from '#core/work.js'

/** How the columns of somebody else's file are called: ours → theirs, and what is the same in every row. */
export interface Mapping {
  readonly columns: Readonly<Record<string, string>>
  readonly constants: Readonly<Record<string, string>>
  readonly separator: string
  /** Wh by default; kWh values are multiplied. */
  readonly unit: 'Wh' | 'kWh'
  /** For times without an offset (CORE-119). */
  readonly zone: string | undefined
}

export const ownColumns: Mapping = { columns: {}, constants: {}, separator: ',', unit: 'Wh', zone: undefined }

export const mappingKind = 'core/ImportMapping'

/** UX-060: a mapping that was said once is kept under a name; the same name again replaces it. */
export async function rememberMapping(work: Work, caller: Caller, name: string, mapping: Mapping): Promise<Document<Mapping>> {
  const { stores, clock, ids } = work, known = await stores.documents.byKey<Mapping>(caller.tenant, mappingKind, '', name)
  const kept = known ? await stores.documents.replace<Mapping>({ ...known, body: mapping }, clock.nowMs(), known.version) : await stores.documents.insert<Mapping>({ tenant: caller.tenant, kind: mappingKind, id: ids.uuid(), parent: '', key: name, body: mapping }, clock.nowMs())
  await note(work, caller, [{ action: 'importMapping.keep', entity: kept.id, reason: name, before: known?.body, after: mapping }])
  return kept
}

export const mappingNamed = async (stores: Stores, tenant: string, name: string): Promise<Document<Mapping>> =>
  present(await stores.documents.byKey<Mapping>(tenant, mappingKind, '', name), 'import mapping', name)

export async function forgetMapping(work: Work, caller: Caller, name: string): Promise<void> {
  const known = await mappingNamed(work.stores, caller.tenant, name)
  await work.stores.documents.remove(caller.tenant, mappingKind, known.id)
  await note(work, caller, [{ action: 'importMapping.forget', entity: known.id, reason: name, before: known.body }])
}
