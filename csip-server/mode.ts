import { scaledInt16, wattsOf, type Scaled } from '#csip-server/power.js'
import type { Profile } from '#csip-server/config.js'

/** What a device said about itself, as far as a dispatch needs it (SEP-147). */
export interface Declared {
  /** DERCapability.modesSupported, narrowed by DERSettings.modesEnabled; undefined = it has said nothing. */
  readonly modes?: number
  /** csipaus doeModesSupported, narrowed likewise. */
  readonly doeModes?: number
  readonly setMaxW?: number
  readonly setMaxChargeRateW?: number
  readonly setMaxDischargeRateW?: number
}

/** One interval of an order; consumption positive. */
export interface Wanted {
  readonly delta_W: number
  readonly setpoint_W: number | null
  readonly limitImport_W: number | null
}

export type Control =
  | { readonly ok: true; readonly base: Readonly<Record<string, unknown>>; readonly exact: boolean }
  | { readonly ok: false; readonly reason: string }

const bit = (mask: number | undefined, n: number): boolean => mask !== undefined && (mask & (2 ** n)) !== 0
const hex = (text: unknown): number | undefined => typeof text === 'string' ? Number.parseInt(text || '0', 16) : undefined
const watts = (scaled: unknown): number | undefined => scaled === undefined ? undefined : wattsOf(scaled as Scaled)
const both = (a: number | undefined, b: number | undefined): number | undefined => a === undefined ? b : b === undefined ? a : a & b

/** From the stored DERCapability and DERSettings documents. */
export function declaredBy(capability: Readonly<Record<string, unknown>> | undefined, settings: Readonly<Record<string, unknown>> | undefined): Declared {
  const modes = both(hex(capability?.modesSupported), hex(settings?.modesEnabled)), doeModes = both(hex(capability?.doeModesSupported), hex(settings?.doeModesEnabled))
  const maxW = watts(settings?.setMaxW), charge = watts(settings?.setMaxChargeRateW), discharge = watts(settings?.setMaxDischargeRateW)
  return {
    ...(modes === undefined ? {} : { modes }), ...(doeModes === undefined ? {} : { doeModes }),
    ...(maxW === undefined ? {} : { setMaxW: maxW }), ...(charge === undefined ? {} : { setMaxChargeRateW: charge }), ...(discharge === undefined ? {} : { setMaxDischargeRateW: discharge }),
  }
}

/**
 * SEP-147, CORE-090, CORE-094: the first mode that the device has and that can say what is wanted.
 * Output towards the grid is positive in 2030.5, so a setpoint changes its sign; percentages are of the settings, never of the ratings.
 */
export function controlFor(wanted: Wanted, declared: Declared, profile: Profile): Control {
  const aus = profile.startsWith('csip-aus')
  return (aus ? envelope(wanted, declared) : undefined)
    ?? target(wanted, declared)
    ?? fixed(wanted, declared)
    ?? maxLimit(wanted, declared)
    ?? { ok: false, reason: wanted.setpoint_W === null ? 'no usable forecast to make a level of, and no percentage that the device has' : 'the device has declared no mode that can say this' }
}

/** CSIP-AUS operating envelope: magnitudes at the connection point (CORE-094). */
function envelope({ delta_W, setpoint_W, limitImport_W }: Wanted, { doeModes }: Declared): Control | undefined {
  if (delta_W <= 0 && limitImport_W !== null && (setpoint_W === null || setpoint_W >= 0) && bit(doeModes, 1)) return limit('opModImpLimW', Math.max(0, limitImport_W))
  if (delta_W > 0 && setpoint_W !== null && bit(doeModes, 0)) return limit('opModExpLimW', Math.max(0, -setpoint_W))
  return undefined
}

function limit(mode: string, magnitude: number): Control {
  const { exact, ...value } = scaledInt16(magnitude, 'towardsZero')
  return { ok: true, base: { [mode]: value }, exact }
}

/** opModTargetW, bit 22. Interpretation: a device that has declared nothing yet gets this absolute form (SEP-147). */
function target({ setpoint_W }: Wanted, { modes }: Declared): Control | undefined {
  if (setpoint_W === null || (modes !== undefined && !bit(modes, 22))) return undefined
  const { exact, ...value } = scaledInt16(-setpoint_W, 'halfUp')
  return { ok: true, base: { opModTargetW: value }, exact }
}

/** opModFixedW, bit 7: positive of setMaxDischargeRateW or setMaxW, negative of setMaxChargeRateW. */
function fixed({ setpoint_W, delta_W }: Wanted, d: Declared): Control | undefined {
  if (!bit(d.modes, 7)) return undefined
  // CORE-090: without a forecast a percentage may still be sent; a device at rest changes by exactly its delta.
  const output = -(setpoint_W ?? delta_W)
  const full = output >= 0 ? d.setMaxDischargeRateW ?? d.setMaxW : d.setMaxChargeRateW
  if (!full) return undefined
  const percent = Math.trunc(output * 10_000 / full)
  return { ok: true, base: { opModFixedW: Math.max(-10_000, Math.min(10_000, percent)) }, exact: percent * full === output * 10_000 }
}

/** opModMaxLimW, bit 20: a ceiling on output, so it can only ask for less export. */
function maxLimit({ setpoint_W, delta_W }: Wanted, d: Declared): Control | undefined {
  if (!bit(d.modes, 20) || !d.setMaxW || setpoint_W === null || delta_W < 0) return undefined
  const raw = Math.max(0, -setpoint_W) * 10_000 / d.setMaxW
  return { ok: true, base: { opModMaxLimW: Math.min(10_000, Math.trunc(raw)) }, exact: Number.isInteger(raw) }
}
