import { device } from './de/device.ts'
import { dispatch } from './de/dispatch.ts'
import { shell } from './de/shell.ts'
import type { Key } from './en.ts'

export const de: Readonly<Record<Key, string>> = { ...shell, ...dispatch, ...device }
