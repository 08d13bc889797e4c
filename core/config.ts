import { Refusal, type Fault } from '#core/error.js'

/** One thing that can be configured, described once: name, variable, default, meaning and how its text is read. */
export interface Setting<T> {
  /** The key in loadstone.yaml and, with dashes, the flag. */
  readonly key: string
  readonly variable: string
  readonly default: T
  readonly meaning: string
  readonly secret?: boolean
  /** Reads the text of a flag, variable or file; returns the reason as a string inside an Error when it is not acceptable. */
  readonly read: (text: string) => T
}

export type Origin = 'flag' | 'environment' | 'file' | 'default'
export interface Resolved<T = unknown> { readonly setting: Setting<T>; readonly value: T; readonly origin: Origin }
export interface Sources { readonly flags?: Readonly<Record<string, unknown>>; readonly environment: Readonly<Record<string, string | undefined>>; readonly file?: Readonly<Record<string, unknown>> }

export const textSetting = (text: string): string => text
export const portSetting = (text: string): number => {
  if (text === 'off') return 0
  const port = Number(text)
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new Error(`must be a port 1 … 65535 or 'off', not '${text}'`)
  return port
}
/** The base of an address that others are told: `https://host:port/path`, without a slash at its end. */
export const baseUrlSetting = (text: string): string => {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || !/^https?:$/.test(url.protocol) || url.search !== '' || url.hash !== '' || url.username !== '') throw new Error(`must be an http or https address, not '${text}'`)
  return url.href.replace(/\/+$/, '')
}
export const wholeSetting = (text: string): number => {
  if (!/^\d{1,9}$/.test(text)) throw new Error(`must be a whole number, not '${text}'`)
  return Number(text)
}
export const switchSetting = (text: string): boolean => {
  if (/^(on|true|1|yes)$/i.test(text)) return true
  if (/^(off|false|0|no)$/i.test(text)) return false
  throw new Error(`must be on or off, not '${text}'`)
}
export const choiceSetting = <C extends string>(...choices: readonly C[]) => (text: string): C => {
  if (!(choices as readonly string[]).includes(text)) throw new Error(`must be one of ${choices.join(', ')}, not '${text}'`)
  return text as C
}

/** Flag > environment > file > default (UX-017). Throws `invalid` with every setting that cannot be read, at once. */
export function resolve(settings: readonly Setting<unknown>[], sources: Sources): Resolved[] {
  const faults: Fault[] = []
  const resolved = settings.map((setting): Resolved => {
    const found = ([['flag', sources.flags?.[setting.key]], ['environment', sources.environment[setting.variable] || undefined], ['file', sources.file?.[setting.key]]] as const)
      .find(([, given]) => given !== undefined && given !== null)
    if (!found) return { setting, value: setting.default, origin: 'default' }
    try {
      return { setting, value: setting.read(String(found[1])), origin: found[0] }
    } catch (error) {
      faults.push({ path: found[0] === 'environment' ? setting.variable : setting.key, reason: (error as Error).message })
      return { setting, value: setting.default, origin: found[0] }
    }
  })
  const known = new Set(settings.map((s) => s.key))
  for (const key of Object.keys(sources.file ?? {})) if (!known.has(key)) faults.push({ path: key, reason: 'is not a known setting of loadstone.yaml' })
  if (faults.length) throw new Refusal('invalid', 'The configuration cannot be used.', { faults })
  return resolved
}
