import { isRefusal, Refusal } from '#core/error.js'

/** SQLSTATE of PostgreSQL's error, also below a Refusal's cause or Prisma's wrapping; a system error's name where there is none. */
export function sqlState(error: unknown): string | undefined {
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 6; depth++) {
    const code = (at as { code?: unknown }).code
    if (typeof code === 'string' && !/^P\d{4}$/.test(code)) return code
    if (code === 'P2034') return '40001'
    at = at.cause
  }
  return undefined
}

/** A transaction that lost a race and may be run again as it is (REL-025). */
export const lostRace = (error: unknown): boolean => ['40001', '40P01'].includes(sqlState(error) ?? '')

/** The connection is gone or the server on it is no primary any more: nothing of an unfinished transaction was kept (REL-021, REL-023). */
export function lostConnection(error: unknown): boolean {
  const code = sqlState(error) ?? ''
  return /^(57P0[1-5]|08...|25006|ECONN\w+|EPIPE|ETIMEDOUT|ENOENT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH)$/.test(code) || (error instanceof Error && lostWords.test(deepest(error)))
}

const lostWords = /Connection terminated|connection timeout|timeout exceeded when trying to connect|Query read timeout|Client has encountered a connection error|not queryable|Client was closed/i

/** We gave up waiting: asking again at once would double the wait. */
export const timedOut = (error: unknown): boolean => error instanceof Error && /timeout/i.test(deepest(error))

function deepest(error: Error): string {
  let text = error.message
  for (let at = error.cause; at instanceof Error; at = at.cause) text += `\n${at.message}`
  return text
}

/** PostgreSQL's and the driver's errors in core's words; what is nobody's fault here passes unchanged. */
export function toRefusal(error: unknown): unknown {
  if (isRefusal(error)) return error
  const code = sqlState(error) ?? ''
  const refuse = (kind: Refusal['kind'], sentence: string): Refusal => new Refusal(kind, sentence, { cause: error })
  if (lostConnection(error)) return refuse('unavailable', 'the database does not answer; nothing that was not acknowledged is certain, try again')
  switch (code) {
    case '23505': return refuse('conflict', `${subject(error)} is taken already`)
    case '23503': return refuse('invalid', `${subject(error)} refers to something that does not exist`)
    case '40001': case '40P01': return refuse('unavailable', 'too many changed the same thing at once; try again')
    case '53100': case 'ENOSPC': return refuse('unavailable', 'the database\'s disk is full: writing is refused until there is room, reading goes on')
    case '53200': case '53300': case '55P03': case '57014': return refuse('unavailable', 'the database is too busy; try again')
    case 'XX001': case 'XX002': return refuse('unavailable', 'the database reports a damaged page; run \'loadstone db verify\', then \'loadstone db restore FILE\'')
  }
  if (/^(22|23)/.test(code)) return refuse('invalid', 'a value cannot be stored: it is missing, out of range or holds a NUL character')
  return error
}

/** Which table a constraint belongs to, without the row's values: those may be another caller's. */
function subject(error: unknown): string {
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 6; depth++) {
    const { table } = at as { table?: unknown }
    if (typeof table === 'string') return `this ${table.replaceAll('_', ' ')}`
    at = at.cause
  }
  return 'this'
}
