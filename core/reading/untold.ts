import type { UntoldIntake } from '#core/port/intake.js'
import type { Stores } from '#core/port/store/index.js'
import type { Transact } from '#core/work.js'

/** Document, id = resource: its device still holds measurements. Epoch seconds. */
const kind = 'core/UntoldReadings'
interface Untold { readonly until: number }

/** CORE-120, OCPP-141: what devices still have to tell, noted and taken back. */
export const untoldIntake = (transact: Transact): UntoldIntake => ({
  untold: (tenant, resource, until) => transact(async ({ stores: { documents }, clock }) => {
    if (until === null) await documents.remove(tenant, kind, resource)
    else await documents.insertMany<Untold>([{ tenant, kind, id: resource, parent: '', body: { until } }], clock.nowMs(), { onConflict: 'replace', quiet: true })
  }),
})

/** Those of the resources whose devices still have measurements to tell at `now`. */
export async function untoldAmong({ documents }: Pick<Stores, 'documents'>, tenant: string, resources: readonly string[], now: number): Promise<string[]> {
  if (resources.length === 0) return []
  const found = await documents.list<Untold>(tenant, { kind, ids: resources })
  return found.filter((d) => d.body.until > now).map((d) => d.id)
}
