import type { Role } from '#core/caller.js'

/** CORE-225, deny by default: who is not named may not. `admin` is named everywhere, like anyone else. */
export const staff: readonly Role[] = ['admin', 'operator', 'dispatcher', 'settlement', 'approver', 'auditor', 'viewer']
/** The network operator sees the grid and its flexibility, not customers (CORE-223). */
export const staffAndGrid: readonly Role[] = [...staff, 'dso']
/** Keeps programs, points, resources, enrolments. */
export const keepers: readonly Role[] = ['admin', 'operator']
/** Gives orders to devices. SEC-035: not who settles, not who approves, not who signs certificates. */
export const dispatchers: readonly Role[] = ['admin', 'operator', 'dispatcher']
/** CORE-203: the second person of a large order. */
export const releasers: readonly Role[] = ['admin', 'operator', 'dispatcher', 'approver']
/** CORE-204: a stop needs no second person and no dispatcher. */
export const stoppers: readonly Role[] = ['admin', 'operator', 'dispatcher', 'dso']
export const settlers: readonly Role[] = ['admin', 'settlement']
export const approvers: readonly Role[] = ['admin', 'approver']
export const money: readonly Role[] = ['admin', 'settlement', 'approver', 'auditor', 'viewer', 'operator']
export const auditors: readonly Role[] = ['admin', 'auditor']
export const administrators: readonly Role[] = ['admin']
export const meterers: readonly Role[] = ['admin', 'operator', 'settlement']
export const gridOperators: readonly Role[] = ['admin', 'operator', 'dispatcher', 'dso']
