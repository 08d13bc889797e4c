import { livingEvents } from '#csip-server/program-events.js'
import { derControls } from '#csip-server/resource/der-control.js'
import type { Behaviour, Doc, Exchange, Value } from '#csip-server/served.js'

const points = 'csip/MirrorUsagePoint', programs = 'csip/DERProgram'

/** SEP-140: every EndDevice has one DER from its registration on; nothing about it is stored but what the device PUTs. */
export const der: Behaviour = { get: linked }
export const derList: Behaviour = {
  count: async () => 1,
  list: async (x, page) => ({ all: 1, items: page.s === 0 && page.l > 0 ? [{ id: '1', value: await linked(x) }] : [] }),
}

/** SEP-146: of what a DER may be linked with, only what there is. */
async function linked(x: Exchange): Promise<Value> {
  return { ...((await programsOf(x)).length > 0 ? {} : { CurrentDERProgramLink: undefined }), ...(await pointOf(x) ? {} : { AssociatedUsagePointLink: undefined }) }
}

/** The device's programs, the one that wins first (SEP-076, SEP-130). */
async function programsOf(x: Exchange): Promise<readonly Doc[]> {
  const groups = x.endDevice?.targets ?? []
  if (groups.length === 0) return []
  return x.ctx.recall(programs, `of ${groups.join(' ')}`, () => x.ctx.documents.list<Value>(x.ctx.tenant, { kind: programs, parent: '', withAnyTarget: groups, order: ['sort1', '-key'] }))
}

/** Interpretation (SEP-146): the program that rules now is the first by primacy with an event that is active for this device; between events, the first of all, by its default. */
export const currentDERProgram: Behaviour = {
  async get(x) {
    const all = await programsOf(x)
    let current = all[0]
    for (const program of all.toReversed()) if (await active(x, program)) current = program
    return current && seenAt(x, `/derp/${current.id}`)
  },
}

async function active(x: Exchange, program: Doc): Promise<boolean> {
  const { docs, events } = await livingEvents(x.ctx, derControls, program.id, x.ctx.clock.now())
  x.until(events.nextChange)
  return docs.some((d) => events.status.get(d.id)?.currentStatus === 1 && (d.targets.length === 0 || d.targets.includes(x.endDevice?.key ?? '')))
}

/** Interpretation (SEP-146, SEP-171): the point that the device mirrors as a DER's (roleFlags bit 3); of several the newest, as of one that was made anew. */
async function pointOf(x: Exchange): Promise<Doc | undefined> {
  const lfdi = x.endDevice?.key
  if (!lfdi) return undefined
  const all = await x.ctx.recall(points, `of ${lfdi}`, () => x.ctx.documents.list<Value>(x.ctx.tenant, { kind: points, withTargets: [lfdi] }))
  return all.findLast((p) => p.body.deviceLFDI === lfdi && (Number.parseInt(String(p.body.roleFlags), 16) & 0x08) !== 0)
}

export const associatedUsagePoint: Behaviour = {
  async get(x) {
    const point = await pointOf(x)
    return point && seenAt(x, `/upt/${point.id}`)
  },
}

/** As it stands at its own address, which it keeps: one thing, one href (SEP-064). */
async function seenAt(x: Exchange, path: string): Promise<Value | undefined> {
  const seen = await x.look(x.peer, x.ctx.config.prefix + path)
  x.until(seen.until)
  return seen.value
}
