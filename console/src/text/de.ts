import { action } from './de/action.ts'
import { admin } from './de/admin.ts'
import { curve } from './de/curve.ts'
import { device } from './de/device.ts'
import { dispatch } from './de/dispatch.ts'
import { enrol } from './de/enrol.ts'
import { money } from './de/money.ts'
import { shell } from './de/shell.ts'
import { vendor } from './de/vendor.ts'
import type { Key } from './en.ts'

export const de: Readonly<Record<Key, string>> = { ...shell, ...dispatch, ...curve, ...device, ...enrol, ...money, ...admin, ...vendor, ...action }
