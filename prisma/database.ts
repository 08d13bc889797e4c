import { randomInt } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { Pool, type ClientBase, type PoolClient, type PoolConfig, type QueryConfig, type QueryResult } from 'pg'
import { Refusal } from '#core/error.js'
import type { Clock } from '#core/port/clock.js'
import type { Log } from '#core/port/log.js'
import type { Database, Stores, UnitOfWork } from '#core/port/store/index.js'
import { postgresBus } from '#prisma/bus.js'
import { Changes, listen } from '#prisma/changes.js'
import { lostConnection, lostRace, sqlState, timedOut, toRefusal } from '#prisma/error-map.js'
import type { PrismaClient } from '#prisma/generated/client.js'
import { askPool, prismaOver, sqlOver, type Session } from '#prisma/session.js'
import { writeTrail } from '#prisma/store/audit.js'
import { numberBook } from '#prisma/store/reading-numbers.js'
import { storesOn, type Surroundings } from '#prisma/store/stores.js'

export interface DatabaseOptions {
  readonly url: string
  readonly log: Log
  readonly clock: Clock
  readonly poolSize?: number
  /** Longest wait for one ordinary statement, ms (REL-022: a query on a dead link fails within 5 s). */
  readonly patience_ms?: number
  /** Longest wait for a place in the pool, ms (REL-029). */
  readonly queue_ms?: number
}

/**
 * One lock for all processes. Every unit of work holds it shared from its beginning, before it holds anything else; the loser of a
 * serializable race takes it whole and so runs alone. Nobody waits for it with other locks in hand, so it is in no deadlock.
 */
const raceLock = 72707370
/** How long a loser waits to be alone before it just tries again. */
const aloneWithin_ms = 1500
const tries = 5

/** A serializable transaction's view begins with its first query, so the lock comes before it and is the session's. */
async function begin(client: PoolClient, isolation: Isolation, alone: boolean): Promise<void> {
  if (isolation === 'readCommitted') {
    await client.query(`begin; select pg_advisory_xact_lock_shared(${raceLock})`)
    return
  }
  if (!alone || !(await lockedAlone(client))) await client.query('select pg_advisory_lock_shared($1)', [raceLock])
  await client.query('begin isolation level serializable')
}

async function lockedAlone(client: PoolClient): Promise<boolean> {
  try {
    await client.query(`begin; set local lock_timeout = ${aloneWithin_ms}; select pg_advisory_lock(${raceLock}); commit`)
    return true
  } catch (error) {
    if (sqlState(error) !== '55P03') throw error
    await client.query('rollback')
    return false
  }
}

/** What an import fills, by its kind. */
const statisticsOf = { readings: ['reading', 'reading_history', 'reading_point'], enrolments: ['enrolment', 'service_point', 'resource', 'document', 'audit'] } as const

/** How far a transaction came: one that lost its connection after it began and before COMMIT was sent is known not to be committed (REL-021). */
interface Progress {
  begun: boolean
  committing: boolean
}

type Work<T> = (stores: Stores, session: Session) => Promise<T>
type Isolation = 'readCommitted' | 'serializable'

/** A prepared pair of Prisma client and stores whose connection is changed for every transaction: making one takes milliseconds. */
interface Seat {
  client: PoolClient | undefined
  /** Kinds of documents written by the running transaction. */
  readonly kinds: Map<string, readonly [string, string]>
  readonly session: Session
  readonly stores: Stores
}

/**
 * REL-027: there is one pool, for reading and writing alike, and a connection to a standby never gets into it: what it knows is old, and who may
 * come in, what is revoked and what is promised are decided on what is read. Asked once for each connection; one that is promoted is taken then.
 * As `onConnect` and not as `verify` of the pool: that one loses the connection for good when its caller stops waiting meanwhile.
 */
async function onPrimary(client: ClientBase): Promise<void> {
  const { rows } = await client.query<{ standby: boolean }>('select pg_is_in_recovery() as standby')
  if (rows[0]?.standby) throw new Refusal('unavailable', 'this database is a standby: nothing is decided on what it knows (REL-027)')
}

/** One pool for Prisma and raw SQL, bounded waits, transactions that run again when they lose a race (REL-020 … REL-026). */
export async function openDatabase({ url, log, clock, poolSize = 10, patience_ms = 4500, queue_ms = 3000 }: DatabaseOptions): Promise<Database> {
  const config: PoolConfig = {
    connectionString: url, max: poolSize, connectionTimeoutMillis: queue_ms, idleTimeoutMillis: 30_000, keepAlive: true,
    query_timeout: patience_ms, statement_timeout: 16_000, idle_in_transaction_session_timeout: 30_000, application_name: 'loadstone',
  }
  const pool = new Pool({ ...config, onConnect: onPrimary })
  let closing = false
  // on the way out the server may end connections that have just been told to end themselves
  const broke = (error: Error): void => { if (!closing) log.warn({ err: error }, 'a database connection broke') }
  pool.on('error', broke)
  // REL-023: the pool drops its own listener while a client is checked out.
  pool.on('connect', (client) => { client.on('error', broke) })

  const changes = new Changes(log)
  const listener = listen({ connectionString: url, connectionTimeoutMillis: 3000, application_name: 'loadstone listen' }, changes, log)
  const bus = postgresBus({ connectionString: url, connectionTimeoutMillis: 3000, application_name: 'loadstone bus' }, log)
  const surroundings: Surroundings = { clock, changes, numbers: numberBook() }
  const seats: Seat[] = []

  const ask = askPool(pool)
  const outside: Session = {
    sql: sqlOver(ask), prisma: prismaOver(ask), transactional: false, trail: new Map(),
    atomically: (work) => run((_, session) => work(session)),
    touched: (tenant, kind) => changes.documents(tenant, kind),
  }

  function makeSeat(): Seat {
    // One connection answers one question at a time: those that a unit of work asks at once wait in line here, not inside pg.
    let line: Promise<unknown> = Promise.resolve()
    const askSeat = (query: QueryConfig): Promise<QueryResult> => {
      const answer = line.then(() => {
        if (!seat.client) throw new Error('a store was used after its unit of work had ended')
        return seat.client.query(query)
      })
      line = answer.catch(() => {})
      return answer
    }
    const session: Session = {
      sql: sqlOver(askSeat), prisma: prismaOver(askSeat), transactional: true, trail: new Map(),
      atomically: (work) => work(session),
      touched: (tenant, kind) => { seat.kinds.set(`${tenant} ${kind}`, [tenant, kind]) },
    }
    const seat: Seat = { client: undefined, kinds: new Map(), session, stores: storesOn(session, surroundings) }
    return seat
  }

  async function attempt<T>(work: Work<T>, isolation: Isolation, alone: boolean, progress: Progress): Promise<T> {
    const client = await pool.connect()
    progress.begun = true
    const seat = seats.pop() ?? makeSeat()
    seat.client = client
    seat.kinds.clear()
    seat.session.trail.clear()
    let failed: unknown
    try {
      await begin(client, isolation, alone)
      const result = await work(seat.stores, seat.session)
      await writeTrail(seat.session)
      progress.committing = true
      const { command } = await client.query('commit')
      if (command === 'ROLLBACK') throw new Refusal('unavailable', 'an error inside the unit of work was swallowed; nothing was stored')
      for (const [tenant, kind] of seat.kinds.values()) changes.documents(tenant, kind)
      return result
    } catch (error) {
      failed = error
      throw error
    } finally {
      seat.client = undefined
      await giveBack(client, failed, isolation)
      seats.push(seat)
    }
  }

  async function giveBack(client: PoolClient, failed: unknown, isolation: Isolation): Promise<void> {
    const dead = failed !== undefined && lostConnection(failed)
    try {
      if (dead) throw failed
      if (failed !== undefined) await client.query('rollback')
      if (isolation === 'serializable') await client.query('select pg_advisory_unlock_all()')
      client.release()
    } catch { client.release(true) }
  }

  async function run<T>(work: Work<T>, isolation: Isolation = 'readCommitted'): Promise<T> {
    for (let n = 1; ; n++) {
      const progress: Progress = { begun: false, committing: false }
      try {
        return await attempt(work, isolation, n > 1 && isolation === 'serializable', progress)
      } catch (error) {
        const cut = progress.begun && !progress.committing && lostConnection(error) && !timedOut(error)
        if (n >= tries || !(lostRace(error) || cut)) throw toRefusal(error)
        log.debug({ try: n, sqlState: sqlState(error), clause: 'REL-025' }, cut ? 'a unit of work lost its connection and runs again' : 'a unit of work lost a race and runs again')
        await pause(randomInt(5, 20 * 2 ** n))
      }
    }
  }

  const unitOfWork: UnitOfWork = { run: (work, options) => run((stores) => work(stores), options?.isolation) }
  await listener.ready
  return {
    stores: storesOn(outside, surroundings),
    unitOfWork, bus,
    async refreshStatistics(tables) {
      try {
        // a sample of the table, but on a slow disk it may take longer than an ordinary question
        await pool.query({ text: `analyze ${statisticsOf[tables].join(', ')}`, query_timeout: 60_000 } as QueryConfig)
      } catch (error) { log.warn({ err: error, tables }, 'the planner keeps its old statistics') }
    },
    ping: () => ask({ text: 'select 1' }).then(() => true, () => false),
    async close() {
      closing = true
      await listener.close()
      await bus.close()
      await Promise.all([outside, ...seats.map((seat) => seat.session)].map(({ prisma }: { prisma: PrismaClient }) => prisma.$disconnect()))
      await pool.end()
    },
  }
}
