import { HttpFault, reason } from '#csip-server/error-map.js'
import type { Devices } from '#csip-server/devices.js'
import type { CsipContext } from '#csip-server/context.js'
import type { Peer } from '#csip-server/identity.js'
import type { Doc, Served } from '#csip-server/served.js'

/** What everyone with a trusted certificate may ask for (SEP-091). */
const open = new Set(['dcap', 'tm', 'sdev', 'edev', '.well-known'])
/** Programs are seen through groups (SEP-137); each keeps its group ids as targets. */
const programs: Readonly<Record<string, string>> = { derp: 'csip/DERProgram', dr: 'csip/DemandResponseProgram', msg: 'csip/MessagingProgram', tp: 'csip/TariffProfile' }
/** Owned by the client that made them; owner is an LFDI. */
const owned: Readonly<Record<string, string>> = { mup: 'csip/MirrorUsagePoint', upt: 'csip/MirrorUsagePoint' }

/**
 * One gate in front of every address (SEP-190…193, SEC-030): decides by the first two segments, so that no handler can forget.
 * Gives the EndDevice of an /edev/{edev} path. "Exists but foreign" and "does not exist" look the same.
 */
export async function admit(ctx: CsipContext, devices: Devices, peer: Peer, served: Served, params: Readonly<Record<string, string>>): Promise<Doc | undefined> {
  const [root = '', slot] = (served.resource.href?.template ?? '').split('/').slice(1)
  const foreign = (): HttpFault => new HttpFault(ctx.config.foreign, reason.format)
  const id = slot === undefined ? undefined : params[slot.slice(1, -1)]
  if (root === 'edev' && id !== undefined) return admitEndDevice(ctx, devices, peer, served, params, id, foreign)
  const kind = programs[root], program = id === undefined || !kind ? undefined : await ctx.recall(kind, `id ${id}`, () => ctx.documents.get(ctx.tenant, kind, id))
  if (peer.kind === 'operator') {
    if (id !== undefined && kind && !program) throw new HttpFault(404)
    return undefined
  }
  if (root === 'dcap' || root === 'tm') await registeredOr(ctx, devices, peer, ctx.config.unregistered === 'forbid')
  else if (!open.has(root) && served.name !== 'MirrorUsagePointList') await registeredOr(ctx, devices, peer, true)
  if (id === undefined) return undefined
  if (kind) {
    const groups = await devices.groups(peer)
    if (!program?.targets.some((g) => groups.has(g))) throw foreign()
  }
  if (owned[root]) {
    const kind = owned[root]
    const thing = await ctx.recall(kind, `id ${id}`, () => ctx.documents.get<{ deviceLFDI?: string }>(ctx.tenant, kind, id))
    if (!thing || !(await theirs(devices, peer, thing.owner, thing.body.deviceLFDI))) throw foreign()
  }
  return undefined
}

async function admitEndDevice(ctx: CsipContext, devices: Devices, peer: Peer, served: Served, params: Readonly<Record<string, string>>, id: string, foreign: () => HttpFault): Promise<Doc> {
  const device = await devices.byId(id)
  if (!device || !devices.mine(peer, device)) throw foreign()
  const itself = served.name === 'EndDevice'
  // SEP-107: a disabled device sees its record and nothing below it.
  if (peer.kind === 'device' && device.body.enabled === false && !itself) throw new HttpFault(403)
  // SEP-108, SEP-192: the PIN is for the device alone.
  if (served.name === 'Registration' && peer.kind === 'device' && device.key !== peer.lfdi) throw foreign()
  // SEP-140: every EndDevice has one DER.
  if ((params.der ?? '1') !== '1') throw new HttpFault(404)
  return device
}

async function registeredOr(ctx: CsipContext, devices: Devices, peer: Peer, refuse: boolean): Promise<void> {
  if (!refuse) return
  const own = await devices.byLfdi(peer.lfdi)
  if (own?.body.enabled === false) throw new HttpFault(403)
  if (!own && (await ctx.documents.count(ctx.tenant, { kind: 'csip/EndDevice', owner: peer.lfdi })) === 0) throw new HttpFault(403)
}

/** True when the peer made it or manages the device that it is about. */
export async function theirs(devices: Devices, peer: Peer, owner: string | null, lfdi: string | undefined): Promise<boolean> {
  if (peer.kind === 'operator' || owner === peer.lfdi || lfdi === peer.lfdi) return true
  const device = lfdi === undefined ? undefined : await devices.byLfdi(lfdi)
  return device?.owner === peer.lfdi
}
