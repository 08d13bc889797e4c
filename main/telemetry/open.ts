import type { Clock } from '#core/port/clock.js'
import type { Ids } from '#core/port/ids.js'
import type { BuildOptions, Closing } from '#main/shape.js'
import { telemetryConfig } from '#main/telemetry/config.js'
import type { Telemetry } from '#main/telemetry/telemetry.js'
import { version } from '#main/version.js'

/** Nothing of it is loaded unless an `OTEL_*` variable asks for it (UX-019, UX-072). */
export async function telemetryOf({ environment = {}, log }: BuildOptions, { clock, ids }: { clock: Clock; ids: Ids }, closing: Closing): Promise<Telemetry | undefined> {
  const config = telemetryConfig(environment)
  if (config === undefined) return undefined
  const { openTelemetry } = await import('#main/telemetry/telemetry.js'), telemetry = openTelemetry(config, { clock, ids, log, version: version() })
  closing.add('telemetry', () => telemetry.stop())
  return telemetry
}
