export const roles = ['admin', 'operator', 'dispatcher', 'settlement', 'approver', 'auditor', 'viewer', 'caOfficer', 'dso'] as const
