import type { Clock } from '#core/port/clock.js'
import type { Stores } from '#core/port/store/index.js'
import type { Changes } from '#prisma/changes.js'
import type { Session } from '#prisma/session.js'
import { agendaStore } from '#prisma/store/agenda.js'
import { aggregationTable } from '#prisma/store/aggregation.js'
import { auditStore } from '#prisma/store/audit.js'
import { availabilityTable } from '#prisma/store/availability.js'
import { deliveryTable } from '#prisma/store/delivery.js'
import { dispatchTable } from '#prisma/store/dispatch.js'
import { documentStore } from '#prisma/store/document.js'
import { enrolmentTable } from '#prisma/store/enrolment.js'
import { idempotencyTable } from '#prisma/store/idempotency.js'
import { ledger } from '#prisma/store/ledger.js'
import { programTable } from '#prisma/store/program.js'
import type { NumberBook } from '#prisma/store/reading-numbers.js'
import { readingStore } from '#prisma/store/reading.js'
import { resourceTable } from '#prisma/store/resource.js'
import { servicePointTable } from '#prisma/store/service-point.js'
import { settlementRunTable, statementTable } from '#prisma/store/settlement.js'
import { tallyStore } from '#prisma/store/tally.js'
import { verificationTable } from '#prisma/store/verification.js'

/** What all sessions of a database share. */
export interface Surroundings {
  readonly clock: Clock
  readonly changes: Changes
  readonly numbers: NumberBook
}

export function storesOn(session: Session, around: Surroundings): Stores {
  const { clock, changes, numbers } = around
  return {
    programs: programTable(session, clock),
    servicePoints: servicePointTable(session, clock),
    resources: resourceTable(session, clock),
    enrolments: enrolmentTable(session, clock),
    aggregations: aggregationTable(session, clock),
    availability: availabilityTable(session),
    dispatches: dispatchTable(session, clock),
    deliveries: deliveryTable(session, clock),
    readings: readingStore(session, numbers),
    verifications: verificationTable(session, clock),
    settlementRuns: settlementRunTable(session, clock),
    statements: statementTable(session, clock),
    audit: auditStore(session),
    ledger: ledger(session),
    agenda: agendaStore(session, changes),
    idempotency: idempotencyTable(session),
    documents: documentStore(session, changes),
    tallies: tallyStore(session),
  }
}
