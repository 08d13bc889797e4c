import { baseline, dayNumbers, type BaselineResult } from '#core/baseline/baseline.js'
import { matched, previousSmoothed, weatherMatch } from '#core/baseline/like-day.js'
import { resultOf, scene, type Found, type MethodInput, type Scene } from '#core/baseline/other-method.js'
import { presets } from '#core/baseline/preset.js'
import { meterBefore, nominated, rectangle, sameDay3Plus2 } from '#core/baseline/same-day.js'
import { regression, towt } from '#core/baseline/weather-model.js'
import { Refusal } from '#core/error.js'

/** The methods of §11.3 that give kW by event interval; the rest of §11.3 judges performance directly (max-base-load, generator-output, control-group). */
const others: Readonly<Record<string, (s: Scene) => Found>> = {
  SAME_DAY_3PLUS2: sameDay3Plus2,
  MATCHING_DAY: (s) => matched(s, 1),
  MATCHED_PAIR: (s) => matched(s, 2),
  WEATHER_MATCH: weatherMatch,
  REGRESSION: regression,
  TOWT: towt,
  METER_BEFORE_AFTER: meterBefore,
  PREVIOUS_SMOOTHED: previousSmoothed,
  NOMINATED: nominated,
  RECTANGLE: rectangle,
}

export const methodNames: readonly string[] = [...presets.keys(), ...Object.keys(others)]

/** Any baseline by name: a preset of §11.2 or a method of §11.3, one result form. */
export function runBaseline(input: MethodInput): BaselineResult {
  if (presets.has(input.method)) return baseline({ ...input, preset: input.method })
  const method = Object.hasOwn(others, input.method) ? others[input.method] : undefined
  if (!method) throw new Refusal('invalid', `no baseline method '${input.method}'; there are ${methodNames.join(', ')}`)
  const s = scene(input, dayNumbers(input.excludedDays), dayNumbers(input.holidays))
  return resultOf(s, method(s))
}
