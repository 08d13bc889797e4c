import { en, type Key } from './en.ts'

export const de: Readonly<Record<Key, string>> = { ...en }
