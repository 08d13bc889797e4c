import { device } from './en/device.ts'
import { dispatch } from './en/dispatch.ts'
import { shell } from './en/shell.ts'

/** Every word of the console in English; other languages have the same keys (UX-054). `{name}` is filled in. */
export const en = { ...shell, ...dispatch, ...device } as const

export type Key = keyof typeof en
