import { isLfdi, pinFromHex, sfdiOf } from '#certs/lfdi.js'
import { Refusal } from '#core/error.js'
import type { NewDocument } from '#core/port/store/document.js'
import type { CsipContext } from '#csip-server/context.js'
import type { Doc, Value } from '#csip-server/served.js'
import { ensureGroups, groupId, groupsOf, type Group } from '#csip-server/topology.js'

export interface EndDeviceDraft {
  readonly lfdi: string
  /** Checked against the LFDI when given. */
  readonly sfdi?: number
  /** Made when not given. */
  readonly pin?: number
  /** Groups from the root to the leaf, e.g. ['system', 'F1', 'home-17']: the leaf brings all ancestors (SEP-121). */
  readonly groups?: readonly (string | Group)[]
  /** LFDI of the aggregator that acts for it; one at a time (SEP-192). */
  readonly manager?: string
  readonly deviceCategory?: string
  readonly postRate?: number
  /** 2013: answered in the names and the namespace of that edition (SEP-035). */
  readonly edition?: 2013
}

export interface Provisioning {
  /** Registers out of band; a known LFDI keeps its record. Gives the document. */
  registerEndDevice(draft: EndDeviceDraft): Promise<Doc>
  /** The same for many, in few statements. */
  registerEndDevices(drafts: readonly EndDeviceDraft[]): Promise<void>
  /** Puts an LFDI on the allow list for in-band registration (SEP-103), with the groups and PIN it will get. */
  allowEndDevice(draft: EndDeviceDraft): Promise<void>
  /** Takes a listed device in (SEP-103); undefined when it is not listed. */
  allowed(lfdi: string): Promise<EndDeviceDraft | undefined>
  /** A device in other groups: its FSA list changes at once (SEP-123). */
  moveEndDevice(lfdi: string, groups: readonly (string | Group)[]): Promise<void>
  /** The same by ids of groups that there are. */
  assignEndDevice(lfdi: string, groups: readonly string[]): Promise<void>
  addGroup(group: Group): Promise<void>
  /** SEP-193, SEP-107. */
  enableEndDevice(lfdi: string, enabled: boolean): Promise<void>
  /** A new certificate for the same device (SEP-194); false when neither LFDI has an EndDevice. Again changes nothing. */
  rekeyEndDevice(oldLfdi: string, newLfdi: string): Promise<boolean>
  pinOf(lfdi: string): Promise<number | undefined>
}

const kind = 'csip/EndDevice'

export function makeProvisioning(ctx: CsipContext): Provisioning {
  const { documents, tenant, clock } = ctx

  function checked(draft: EndDeviceDraft): EndDeviceDraft & { lfdi: string } {
    const lfdi = draft.lfdi.toUpperCase()
    if (!isLfdi(lfdi)) throw new Refusal('invalid', 'An LFDI has 40 hex digits.')
    if (draft.sfdi !== undefined && draft.sfdi !== sfdiOf(lfdi)) throw new Refusal('invalid', 'The SFDI does not derive from the LFDI.')
    return { ...draft, lfdi }
  }

  function documentsOf(draft: EndDeviceDraft & { lfdi: string }): NewDocument<Value>[] {
    const { lfdi } = draft, sFDI = sfdiOf(lfdi), now = clock.now()
    const targets = groupsOf(draft.groups ?? []).map((g) => groupId(g.name))
    const body = { lFDI: lfdi, sFDI, changedTime: now, enabled: true, postRate: draft.postRate ?? ctx.config.postRate, ...(draft.deviceCategory ? { deviceCategory: draft.deviceCategory } : {}), ...(draft.edition ? { edition: draft.edition } : {}) }
    return [
      { tenant, kind, id: lfdi, parent: '', key: lfdi, targets, owner: draft.manager?.toUpperCase() ?? lfdi, sort1: now, sort2: sFDI, body },
      { tenant, kind: 'csip/Registration', id: lfdi, parent: lfdi, body: { dateTimeRegistered: now, pIN: draft.pin ?? pinFromHex(ctx.ids.hex(8)) } },
    ]
  }

  async function registerEndDevices(drafts: readonly EndDeviceDraft[]): Promise<void> {
    const good = drafts.map(checked)
    await ensureGroups(ctx, good.flatMap((d) => groupsOf(d.groups ?? [])))
    for (let at = 0; at < good.length; at += 2000) {
      await documents.insertMany(good.slice(at, at + 2000).flatMap(documentsOf), clock.nowMs(), { onConflict: 'skip' })
    }
  }

  async function change(lfdi: string, how: (doc: Doc) => Partial<NewDocument<Value>>): Promise<void> {
    const doc = await documents.byKey<Value>(tenant, kind, '', lfdi.toUpperCase())
    if (!doc) throw new Refusal('notFound', 'No such EndDevice.')
    const now = clock.now()
    const changed = how(doc)
    await documents.replace<Value>({ ...doc, ...changed, sort1: now, body: { ...doc.body, ...changed.body, changedTime: now } }, clock.nowMs(), doc.version)
  }

  return {
    registerEndDevices,
    async registerEndDevice(draft) {
      await registerEndDevices([draft])
      const doc = await documents.byKey<Value>(tenant, kind, '', draft.lfdi.toUpperCase())
      if (!doc) throw new Refusal('conflict', 'The EndDevice could not be registered.')
      return doc
    },
    async allowEndDevice(draft) {
      const good = checked(draft)
      await documents.insertMany([{ tenant, kind: 'csip/AllowedDevice', id: good.lfdi, parent: '', body: good }], clock.nowMs(), { onConflict: 'replace' })
    },
    allowed: async (lfdi) => (await documents.get<EndDeviceDraft>(tenant, 'csip/AllowedDevice', lfdi))?.body,
    async moveEndDevice(lfdi, groups) {
      const list = groupsOf(groups)
      await ensureGroups(ctx, list)
      await change(lfdi, () => ({ targets: list.map((g) => groupId(g.name)) }))
    },
    assignEndDevice: (lfdi, groups) => change(lfdi, () => ({ targets: groups })),
    addGroup: (group) => ensureGroups(ctx, [group]),
    enableEndDevice: (lfdi, enabled) => change(lfdi, () => ({ body: { enabled } })),
    async rekeyEndDevice(oldLfdi, newLfdi) {
      const lFDI = newLfdi.toUpperCase()
      if (await documents.byKey<Value>(tenant, kind, '', lFDI)) return true
      if (!await documents.byKey<Value>(tenant, kind, '', oldLfdi.toUpperCase())) return false
      await change(oldLfdi, (doc) => ({ key: lFDI, owner: doc.owner === doc.key ? lFDI : doc.owner, sort2: sfdiOf(lFDI), body: { lFDI, sFDI: sfdiOf(lFDI) } }))
      return true
    },
    pinOf: async (lfdi) => (await documents.get<{ pIN: number }>(tenant, 'csip/Registration', lfdi.toUpperCase()))?.body.pIN,
  }
}
