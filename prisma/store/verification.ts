import type { Clock } from '#core/port/clock.js'
import type { Stores } from '#core/port/store/index.js'
import type { Session } from '#prisma/session.js'
import { table } from '#prisma/store/table.js'

export const verificationTable = (session: Session, clock: Clock): Stores['verifications'] => table(session, clock, {
  model: 'verificationResult', table: 'verification_result', nullableJson: ['body'],
  where: ({ dispatch, kind, subject }) => ({ dispatch, kind, subject }),
})
