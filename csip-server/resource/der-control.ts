import type { CsipContext } from '#csip-server/context.js'
import { HttpFault, reason } from '#csip-server/error-map.js'
import { eventBehaviours } from '#csip-server/event-behaviour.js'
import type { EventKind } from '#csip-server/program-events.js'
import type { Value } from '#csip-server/served.js'

const modifiers = new Set(['rampTms'])

export const derControls: EventKind = {
  kind: 'csip/DERControl',
  parent: (params) => params.derp ?? '',
  slot: 'derc',
  href: (params) => `/derp/${params.derp ?? ''}/derc/${params.derc ?? ''}`,
  controls: (body) => Object.keys(body.DERControlBase ?? {}).filter((name) => !modifiers.has(name)).sort(),
  replyTo: '/rsps/der/rsp',
}

/** Curve modes and the curveType each needs (SEP-134). */
const curveType: Readonly<Record<string, number>> = {
  opModFreqWatt: 0, opModHFRTMayTrip: 1, opModHFRTMustTrip: 2, opModHVRTMayTrip: 3, opModHVRTMomentaryCessation: 4, opModHVRTMustTrip: 5,
  opModLFRTMayTrip: 6, opModLFRTMustTrip: 7, opModLVRTMayTrip: 8, opModLVRTMomentaryCessation: 9, opModLVRTMustTrip: 10,
  opModVoltVar: 11, opModVoltWatt: 12, opModWattPF: 13, opModWattVar: 14,
}

/** SEP-134: a curve mode names a curve of its type in the same program. */
export async function checkCurves(ctx: CsipContext, program: string, base: Value): Promise<void> {
  for (const [mode, type] of Object.entries(curveType)) {
    const href = (base[mode] as { href?: string } | undefined)?.href
    if (href === undefined) continue
    const id = href.split('/').at(-1) ?? ''
    const curve = await ctx.documents.get<{ curveType: number }>(ctx.tenant, 'csip/DERCurve', id)
    if (!href.endsWith(`/derp/${program}/dc/${id}`) || curve?.parent !== program || curve.body.curveType !== type) throw new HttpFault(400, reason.values)
  }
}

/** SEP-133: a DERControl controls something. */
export const { item: derControl, list: derControlList, active: activeDERControlList } = eventBehaviours(derControls, 'csip/DERProgram', async (x, value) => {
  if (derControls.controls(value).length === 0) throw new HttpFault(400, reason.values)
  await checkCurves(x.ctx, x.params.derp ?? '', value.DERControlBase as Value)
})
