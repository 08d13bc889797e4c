import { isLfdi, sfdiOf } from '#certs/lfdi.js'
import { HttpFault, reason } from '#csip-server/error-map.js'
import { hardwareKind } from '#csip-server/hardware.js'
import { makeProvisioning } from '#csip-server/provision.js'
import type { Behaviour, Exchange, Value, Written } from '#csip-server/served.js'

const kind = 'csip/EndDevice'

/** Kinds below an EndDevice that are no resources of their own: they go with it (SEP-106). */
const below = ['SubscriptionState', 'Alarm']

export const endDevice: Behaviour = {
  /** SEP-102: a device sees its own record, an aggregator its own and those it manages. */
  async select(x) {
    if (x.peer.kind === 'operator') return { parent: '' }
    const own = await x.devices.byLfdi(x.peer.lfdi)
    const older = own?.body.edition === 2013 ? { order: ['sort2', 'id'] as const } : {}
    return own && own.owner !== x.peer.lfdi ? { parent: '', key: x.peer.lfdi } : { owner: x.peer.lfdi, ...older }
  },
  present(x, doc) {
    const own = x.peer.kind === 'operator' || doc.key === x.peer.lfdi
    // SEP-108, SEP-153: the PIN is the device's, and in CSIP-AUS an aggregator subscribes below its own EndDevice alone.
    const fsa = { href: `${x.ctx.config.prefix}/edev/${doc.id}/fsa`, all: doc.targets.length }
    return { ...doc.body, lFDI: doc.key, FunctionSetAssignmentsListLink: fsa, ...(own ? {} : { RegistrationLink: undefined, ...(x.ctx.config.profile.startsWith('csip-aus') ? { SubscriptionListLink: undefined } : {}) }) }
  },
  /** SEP-106: the client may wish for a category and a post rate; its names stay what they are. */
  async put(x, value) {
    const device = x.endDevice
    if (!device) throw new HttpFault(404)
    if ((value.lFDI !== undefined && String(value.lFDI).toUpperCase() !== device.key) || value.sFDI !== device.body.sFDI) throw new HttpFault(400, reason.values)
    const now = x.ctx.clock.now()
    const wished: Value = { ...(value.deviceCategory === undefined ? {} : { deviceCategory: value.deviceCategory }), ...(value.postRate === undefined ? {} : { postRate: value.postRate }) }
    const ordered: Value = x.peer.kind === 'operator' && value.enabled !== undefined ? { enabled: value.enabled } : {}
    await x.ctx.documents.replace<Value>({ ...device, sort1: now, body: { ...device.body, ...wished, ...ordered, changedTime: now } }, x.ctx.clock.nowMs(), device.version)
    return { created: false, href: `/edev/${device.id}` }
  },
  async remove(x) {
    const device = x.endDevice
    if (!device) throw new HttpFault(404)
    // SEP-192: an aggregator does not delete what it manages.
    if (x.peer.kind === 'device' && device.key !== x.peer.lfdi) throw new HttpFault(403)
    const { documents, tenant } = x.ctx
    await documents.remove(tenant, kind, device.id)
    if (device.key) await documents.remove(tenant, hardwareKind, device.key)
    for (const name of below) await documents.removeAll(tenant, `csip/${name}`, device.id)
    for (const name of ['DERCapability', 'DERSettings', 'DERStatus', 'DERAvailability']) await documents.removeAll(tenant, `csip/${name}`, `${device.id}/1`)
    for (const mup of await documents.list(tenant, { kind: 'csip/MirrorUsagePoint', owner: device.key ?? '' })) {
      await documents.remove(tenant, 'csip/MirrorUsagePoint', mup.id)
      await documents.removeAll(tenant, 'csip/MirrorMeterReading', mup.id)
    }
  },
}

export const endDeviceList: Behaviour = { ...endDevice, post: register, lead: ownFirst }

/** SEP-103…105: in-band registration. */
async function register(x: Exchange, value: Value): Promise<Written> {
  const { ctx, peer } = x
  const operator = peer.kind === 'operator'
  const lfdi = value.lFDI === undefined ? peer.lfdi : String(value.lFDI).toUpperCase()
  if (!isLfdi(lfdi) || sfdiOf(lfdi) !== value.sFDI) throw new HttpFault(400, reason.values)
  if (!operator) mayRegister(x, lfdi)
  const provisioning = makeProvisioning(ctx)
  const existing = await ctx.documents.byKey(ctx.tenant, kind, '', lfdi)
  if (existing) {
    if (!operator && existing.key !== peer.lfdi && existing.owner !== peer.lfdi) throw new HttpFault(403)
    if (ctx.config.duplicateEndDevice === 'conflict') throw new HttpFault(409, reason.values, { location: `${ctx.config.prefix}/edev/${existing.id}` })
    return { created: false, href: `/edev/${existing.id}` }
  }
  const listed = await provisioning.allowed(lfdi)
  if (!operator && ctx.config.registration !== 'open' && !listed) throw new HttpFault(403)
  const manager = !operator && lfdi !== peer.lfdi ? peer.lfdi : listed?.manager
  const doc = await provisioning.registerEndDevice({
    ...listed, lfdi, ...(manager === undefined ? {} : { manager }),
    ...(typeof value.deviceCategory === 'string' ? { deviceCategory: value.deviceCategory } : {}),
    ...(typeof value.postRate === 'number' ? { postRate: value.postRate } : {}),
  })
  return { created: true, href: `/edev/${doc.id}` }
}

function mayRegister({ ctx, peer }: Exchange, lfdi: string): void {
  if (ctx.config.registration === 'outOfBand') throw new HttpFault(403)
  if (lfdi === peer.lfdi) return
  if (!ctx.config.aggregatorsRegister) throw new HttpFault(403)
  // SEP-067, SEP-104: an LFDI of an aggregator's own making ends in its PEN, in decimal.
  const pen = /\d{8}$/.exec(lfdi)?.[0], { aggregatorPens } = ctx.config
  if (ctx.config.profile.startsWith('csip-aus') && (pen === undefined || (aggregatorPens.length > 0 && !aggregatorPens.includes(Number(pen))))) throw new HttpFault(403)
}

/** SEP-246: in CSIP-AUS an aggregator finds its own EndDevice first. Gives its place in the list that the store has in order. */
async function ownFirst(x: Exchange): Promise<{ id: string; place: number } | undefined> {
  if (!x.ctx.config.profile.startsWith('csip-aus') || x.peer.kind !== 'device') return undefined
  const own = await x.devices.byLfdi(x.peer.lfdi)
  if (!own || own.owner !== x.peer.lfdi) return undefined
  const before = (query: object): Promise<number> => x.ctx.documents.count(x.ctx.tenant, { kind, owner: x.peer.lfdi, ...query })
  const [later, tied] = await Promise.all([before({ sort1From: own.sort1 + 1 }), before({ sort1From: own.sort1, sort1To: own.sort1, sort2To: own.sort2 - 1 })])
  return { id: own.id, place: later + tied }
}
