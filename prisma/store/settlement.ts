import type { Clock } from '#core/port/clock.js'
import type { Stores } from '#core/port/store/index.js'
import type { Session } from '#prisma/session.js'
import { table } from '#prisma/store/table.js'

export const settlementRunTable = (session: Session, clock: Clock): Stores['settlementRuns'] => table(session, clock, {
  model: 'settlementRun', table: 'settlement_run', nullableJson: ['input', 'result'],
  where: ({ program, state }) => ({ program, state }),
})

export const statementTable = (session: Session, clock: Clock): Stores['statements'] => table(session, clock, {
  model: 'statement', table: 'statement', nullableJson: ['body'],
  where: ({ run, servicePoint }) => ({ run, service_point: servicePoint }),
})
