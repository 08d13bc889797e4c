import type { Clock } from '#core/port/clock.js'
import type { Ids } from '#core/port/ids.js'
import type { Log } from '#core/port/log.js'
import type { Database, Stores } from '#core/port/store/index.js'
import type { Trace } from '#core/port/trace.js'
import type { CertificateStanding } from '#core/program/claim.js'
import type { FailSafeProbe } from '#core/program/fail-safe.js'
import { carrying } from '#core/traced.js'

/** What a use case is handed: the stores of one running transaction, time, names and a log. */
export interface Work {
  readonly stores: Stores
  readonly clock: Clock
  readonly ids: Ids
  readonly log: Log
  /** Why no new order may leave now, e.g. a clock that jumped (CORE-206); absent where nobody watches. */
  readonly clockFault?: (() => string | undefined) | undefined
  /** What devices fall back to (CORE-202); absent where there are no channels to ask. */
  readonly failSafes?: FailSafeProbe | undefined
  /** Why the certificate of an LFDI is not valid (CORE-021); undefined where nothing speaks against it. Absent where nobody knows certificates. */
  readonly certificates?: CertificateStanding | undefined
  /** Absent where nobody listens (UX-072). */
  readonly trace?: Trace | undefined
}

/** Runs one command as one transaction (CORE-015); `serializable` where capacity or money is decided (REL-026). */
export type Transact = <T>(command: (work: Work) => Promise<T>, isolation?: 'readCommitted' | 'serializable') => Promise<T>

export type Means = Omit<Work, 'stores'>

export const transactions = (database: Pick<Database, 'unitOfWork'>, means: Means): Transact => (command, isolation = 'readCommitted') =>
  database.unitOfWork.run((stores) => command({ ...means, stores: carrying(stores, means.trace?.current()) }), { isolation })
