import type { Clock } from '#core/port/clock.js'
import type { Stores } from '#core/port/store/index.js'
import type { Session } from '#prisma/session.js'
import { namedTable } from '#prisma/store/table.js'

export const aggregationTable = (session: Session, clock: Clock): Stores['aggregations'] => namedTable(session, clock, {
  model: 'aggregation', table: 'aggregation',
  where: ({ hierarchy, parent }) => ({ hierarchy, parent }),
})
