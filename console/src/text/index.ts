import { en, type Key } from './en.ts'

export type { Key }
type Catalogue = Readonly<Record<Key, string>>

/** A pseudo-locale shows at a glance what is not in a catalogue (UX-054). Placeholders keep their names. */
const accents: Readonly<Record<string, string>> = { a: 'á', e: 'é', i: 'í', o: 'ó', u: 'ú' }
const pseudo = (): Catalogue =>
  Object.fromEntries(Object.entries(en).map(([k, v]) => [k, `⟦${v.replace(/\{[^}]*\}|[aeiou]/g, (c) => accents[c] ?? c)}⟧`])) as Catalogue

const loaders: Readonly<Record<string, () => Promise<Catalogue>>> = {
  en: async () => en,
  de: async () => (await import('./de.ts')).de,
  pseudo: async () => pseudo(),
}

export const languages = Object.keys(loaders)
let current: Catalogue = en
export let locale = 'en-US'
export let language = 'en'

export async function useLanguage(name: string): Promise<void> {
  language = Object.hasOwn(loaders, name) ? name : 'en'
  current = await (loaders[language] as () => Promise<Catalogue>)()
  locale = { en: 'en-US', de: 'de-DE' }[language] ?? 'en-US'
  document.documentElement.lang = language === 'pseudo' ? 'en' : language
}

/** `{n}` is the value, `{n|device|devices}` the word that goes with it. */
const filled = (text: string, values: Readonly<Record<string, string | number>>): string =>
  text.replace(/\{(\w+)(?:\|([^|}]*)\|([^}]*))?\}/g, (_, name: string, one?: string, more?: string) =>
    one === undefined ? String(values[name] ?? '') : String(values[name]) === '1' ? one : (more as string),
  )

export const t = (key: Key, values: Readonly<Record<string, string | number>> = {}): string => filled(current[key], values)

/** The catalogue's word for a value of the API (`state` + `optedOut`); the value itself where the catalogue has none. */
export function word(group: string, value: string | null | undefined): string {
  if (value === null || value === undefined) return '–'
  const key = `${group}.${value}`
  return Object.hasOwn(current, key) ? current[key as Key] : value
}
export const knows = (group: string, value: string): boolean => Object.hasOwn(current, `${group}.${value}`)
