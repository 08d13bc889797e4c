import { action } from './en/action.ts'
import { admin } from './en/admin.ts'
import { curve } from './en/curve.ts'
import { device } from './en/device.ts'
import { dispatch } from './en/dispatch.ts'
import { enrol } from './en/enrol.ts'
import { money } from './en/money.ts'
import { shell } from './en/shell.ts'
import { vendor } from './en/vendor.ts'

/** Every word of the console in English; other languages have the same keys (UX-054). `{name}` is filled in. */
export const en = { ...shell, ...dispatch, ...curve, ...device, ...enrol, ...money, ...admin, ...vendor, ...action } as const

export type Key = keyof typeof en
