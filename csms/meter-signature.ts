import type { MeterValue, SampledValue } from './wire/metering.js'

export type SignedMeterValue = NonNullable<SampledValue['signedMeterValue']>

/**
 * Plug-ins that verify signed meter values, by encodingMethod in lower case (`ocmf`, `edl` …): true holds, false does not, undefined
 * cannot tell (no key, a form it does not know). OCPP-174: whatever they say, the value is kept byte for byte; a bad signature flags.
 */
export type MeterSignatures = ReadonlyMap<string, (value: SignedMeterValue, knownKey: string | undefined) => boolean | undefined>

export interface Verdict {
  readonly held: number
  readonly broken: number
}

/** How many signed values of a message hold and how many do not. A key told once (publicKey, later empty) is used on. */
export function verifySigned(values: readonly MeterValue[] | undefined, signatures: MeterSignatures, keys: Map<string, string>): Verdict {
  let held = 0, broken = 0
  for (const { sampledValue } of values ?? []) {
    for (const { signedMeterValue: signed } of sampledValue) {
      if (!signed) continue
      const method = signed.encodingMethod.toLowerCase()
      if (signed.publicKey !== '') keys.set(method, signed.publicKey)
      const verdict = signatures.get(method)?.(signed, signed.publicKey || keys.get(method))
      if (verdict === true) held += 1
      else if (verdict === false) broken += 1
    }
  }
  return { held, broken }
}
