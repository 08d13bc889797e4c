import type { Clock } from '#core/port/clock.js'
import type { Stores } from '#core/port/store/index.js'
import type { Session } from '#prisma/session.js'
import { namedTable } from '#prisma/store/table.js'

export const programTable = (session: Session, clock: Clock): Stores['programs'] => namedTable(session, clock, {
  model: 'program', table: 'program',
  where: ({ state }) => ({ state }),
})
