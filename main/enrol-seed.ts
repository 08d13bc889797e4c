import type { Caller } from '#core/caller.js'
import type { Core } from '#core/assemble.js'
import { apply, transition } from '#core/program/enrol.js'
import { createResource, createServicePoint } from '#core/program/manage-assets.js'
import { createProgram } from '#core/program/manage-program.js'
import type { Work } from '#core/work.js'
import type { SeedProgram, SeedResource } from '#main/seed-conformance.js'

/** The seed's program: both directions, no notice, no call or event limits (contract §4). */
const terms = {
  timeZone: 'UTC', direction: 'both', intervalMinutes: 15, baseline: { method: 'CAISO_10IN10', level: 'portfolio' }, netting: 'net', currency: 'USD', energyPrice: '0.50', capacityPrice: null,
  customerShare: '0.70', floorLevel: 'portfolioEvent', paidRatioCap: '1.2', mode: 'merit', limits: {}, holidays: [], rules: { compatibility: { '*': 'free' } }, state: 'open',
} as const

/** Makes what is missing of the seed's program: run again, it changes nothing. */
export async function enrolSeed(core: Core, caller: Caller, wanted: SeedProgram): Promise<void> {
  const { stores } = core.database
  if (await stores.programs.find(caller.tenant, wanted.program)) return
  await core.transact(async (work) => {
    await createProgram(work, caller, { name: wanted.program, ...terms })
    for (const resource of wanted.resources) await enrolOne(work, caller, wanted.program, resource)
  })
  await declareInFull(core, caller, wanted)
}

async function enrolOne(work: Work, caller: Caller, program: string, wanted: SeedResource): Promise<void> {
  await createServicePoint(work, caller, { name: wanted.name, timeZone: null, gridPath: wanted.gridPath, importLimit_W: null, exportLimit_W: null, account: null })
  await createResource(work, caller, {
    name: wanted.name, servicePoint: wanted.name, kind: wanted.kind, rated_W: wanted.rated_W, cost: '0', minBlock_W: 0, constraints: {}, state: 'active',
    bindings: [{ protocol: wanted.protocol, remoteId: wanted.remoteId, control: true, ...(wanted.evseId === undefined ? {} : { evseId: wanted.evseId }) }],
  })
  const enrolment = await apply(work, caller, { program, servicePoint: wanted.name, consent: { purpose: 'conformance', grantedAt: new Date(work.clock.nowMs()).toISOString() } })
  for (const to of ['eligible', 'verified', 'active'] as const) await transition(work, caller, enrolment.id, { to })
}

/** The batteries are available in full; stations by their rating until they say otherwise. A year ahead, both directions. */
async function declareInFull(core: Core, caller: Caller, wanted: SeedProgram): Promise<void> {
  const { clock } = core.means, start = Math.floor(clock.now() / 86_400) * 86_400
  const rows = await Promise.all(wanted.resources.map(async ({ name, rated_W, protocol }) => {
    const resource = await core.database.stores.resources.find(caller.tenant, name)
    return { resource: resource?.id ?? '', start, end: start + 366 * 86_400, down_W: rated_W, up_W: rated_W, expected_W: protocol === 'ocpp' ? rated_W : 0, source: 'seed', issuedAt: clock.nowMs() }
  }))
  await core.availability.declare(caller, rows)
}
