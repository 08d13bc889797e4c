/** Outbox task of a stored report whose meaning has still to reach the core; `report-intake.ts` works it off. */
export const reportTask = 'vtn.report'
