import type { Clock } from '#core/port/clock.js'
import type { Stores } from '#core/port/store/index.js'
import type { Session } from '#prisma/session.js'
import { namedTable } from '#prisma/store/table.js'

export const servicePointTable = (session: Session, clock: Clock): Stores['servicePoints'] => namedTable(session, clock, {
  model: 'servicePoint', table: 'service_point',
  where: ({ node }) => (node === undefined ? {} : { grid_path: { has: node } }),
})
