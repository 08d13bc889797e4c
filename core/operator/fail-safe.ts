import type { FailSafeRecord } from '#core/program/fail-safe.js'
import { kWOrNull, rfc3339 } from '#core/operator/wire.js'

/** CORE-202 as an operator reads it; a device that was never looked at says so. */
export const failSafeView = (found: FailSafeRecord | undefined): object => {
  if (!found) return { held: false, reason: 'not verified yet' }
  const { failSafe, binding } = found, verified = { protocol: binding.protocol, verifiedAt: rfc3339(found.at / 1000) }
  if (!failSafe.held) return { ...failSafe, ...verified }
  const { limit_W, ...rest } = failSafe
  return { ...rest, limit_kW: kWOrNull(limit_W), ...verified }
}
