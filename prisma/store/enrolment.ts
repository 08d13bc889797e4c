import type { Clock } from '#core/port/clock.js'
import type { Stores } from '#core/port/store/index.js'
import type { Session } from '#prisma/session.js'
import { table } from '#prisma/store/table.js'

export const enrolmentTable = (session: Session, clock: Clock): Stores['enrolments'] => table(session, clock, {
  model: 'enrolment', table: 'enrolment', nullableJson: ['consent'],
  where: ({ program, servicePoint, servicePoints, state }) => ({ program, state, service_point: servicePoints === undefined ? servicePoint : { in: servicePoint === undefined ? servicePoints : servicePoints.filter((p) => p === servicePoint) } }),
})
