/**
 * Who sees which page: the roles that the server lets read what the page is made of, or make what it makes (core/operator/roles.ts).
 * Nobody is kept out by this table, the server does that; it spares people pages that could only say no.
 */
export const staff: readonly string[] = ['admin', 'operator', 'dispatcher', 'settlement', 'approver', 'auditor', 'viewer']
export const staffAndGrid: readonly string[] = [...staff, 'dso']
export const keepers: readonly string[] = ['admin', 'operator']
export const dispatchers: readonly string[] = ['admin', 'operator', 'dispatcher']
export const money: readonly string[] = ['admin', 'settlement', 'approver', 'auditor', 'viewer', 'operator']
export const auditors: readonly string[] = ['admin', 'auditor']
export const certificates: readonly string[] = ['admin', 'operator', 'caOfficer', 'auditor', 'viewer']
export const releasers: readonly string[] = ['admin', 'operator', 'dispatcher', 'approver']
