import { csipConfig } from '#csip-server/config.js'
import { csmsConfig } from '#csms/config.js'
import { Refusal } from '#core/error.js'
import { vtnEnvironment, vtnSettings } from '#vtn/environment.js'

type Environment = Readonly<Record<string, string | undefined>>

/**
 * Names of the switches of single doors, which have no place in the contract's table: each door's own configuration is the list. Reads them
 * too, as a start would: throws `invalid` with what cannot be read (UX-017).
 */
export function doorVariables(environment: Environment): ReadonlySet<string> {
  const names = new Set<string>(Object.values(vtnSettings).map((s) => s.variable))
  const asked = new Proxy(environment, { get: (of, name) => { if (typeof name === 'string') names.add(name); return of[name as string] } })
  vtnEnvironment(environment)
  try {
    csipConfig(asked)
    csmsConfig(asked, { tenant: '', secret: Buffer.alloc(0) })
  } catch (error) {
    throw new Refusal('invalid', (error as Error).message, { cause: error })
  }
  return new Set([...names].filter((name) => name.startsWith('LOADSTONE_')))
}
