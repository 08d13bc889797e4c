import type { DispatchChannel, FailSafe } from '#core/port/dispatch-channel.js'
import type { CsipContext } from '#csip-server/context.js'
import { devicesOf } from '#csip-server/dispatch-channel.js'
import type { Value } from '#csip-server/served.js'

type Power = { readonly value: number; readonly multiplier?: number }
const inWatts = (p: Power | undefined): number | null => (p === undefined ? null : p.value * 10 ** (p.multiplier ?? 0))

/**
 * CORE-202 of 2030.5: the DefaultDERControl of the program that the device is dispatched in (CORE-097). Limits as it says them: watts where it limits
 * import or load, hundredths of a percent of setMaxW where it limits the device itself.
 */
export const failSafeOf = (ctx: CsipContext): NonNullable<DispatchChannel['failSafe']> => async ({ documents }, _tenant, asks) => {
  const devices = await devicesOf({ ...ctx, documents }, asks), programs = [...new Set([...devices.values()].map((d) => d.program))]
  const defaults = new Map((programs.length === 0 ? [] : await documents.list<Value>(ctx.tenant, { kind: 'csip/DefaultDERControl', ids: programs })).map((d) => [d.id, d.body]))
  return asks.map(({ binding }): FailSafe => {
    const device = devices.get(binding.remoteId.toUpperCase()), otherwise = device && defaults.get(device.program)
    if (!device) return { held: false, reason: 'no such EndDevice is registered, or it is in no program' }
    if (!otherwise) return { held: false, reason: `its program ${device.program} has no DefaultDERControl` }
    const base = (otherwise.DERControlBase ?? {}) as { opModImpLimW?: Power; opModLoadLimW?: Power; opModMaxLimW?: number }
    return {
      held: true, by: 'DefaultDERControl', at: `/derp/${device.program}/dderc`, confirmed: false,
      limit_W: inWatts(base.opModImpLimW ?? base.opModLoadLimW), limit_percent: base.opModMaxLimW === undefined ? null : base.opModMaxLimW / 100,
    }
  })
}
