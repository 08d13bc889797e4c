import { en, type Key } from './en.ts'

export type { Key }
type Catalogue = Readonly<Record<Key, string>>

/** A pseudo-locale shows at a glance what is not in a catalogue (UX-054). */
const pseudo = (): Catalogue => Object.fromEntries(Object.entries(en).map(([k, v]) => [k, `⟦${v.replace(/[aeiou]/g, (c) => ({ a: 'á', e: 'é', i: 'í', o: 'ó', u: 'ú' })[c] as string)}⟧`])) as Catalogue

const loaders: Readonly<Record<string, () => Promise<Catalogue>>> = {
  en: async () => en,
  de: async () => (await import('./de.ts')).de,
  pseudo: async () => pseudo(),
}

export const languages = Object.keys(loaders)
let current: Catalogue = en
export let locale = 'en-US'

export async function useLanguage(name: string): Promise<void> {
  current = await (loaders[name] ?? loaders.en as () => Promise<Catalogue>)()
  locale = { en: 'en-US', de: 'de-DE' }[name] ?? 'en-US'
  document.documentElement.lang = name === 'pseudo' ? 'en' : name
}

export function t(key: Key, values: Readonly<Record<string, string | number>> = {}): string {
  return current[key].replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ''))
}
