import { isRefusal } from '#core/error.js'

/** Exit codes of UX-012, exact. */
export const exitCode = {
  done: 0, failed: 1, usage: 2, checksFailed: 3, notAuthenticated: 4, notFound: 5, refused: 6, unreachable: 7, interrupted: 130,
} as const

export const exitCodesHelp = `Exit codes
  0    done
  1    failed
  2    wrong usage, or input that cannot be read
  3    checks ran and some failed
  4    not authenticated
  5    not found
  6    refused by a safety or conflict rule
  7    server unreachable
  130  interrupted
`

/** An end with a code of our own and a sentence for stderr. */
export class CliExit extends Error {
  readonly code: number
  constructor(code: number, sentence: string) {
    super(sentence)
    this.code = code
  }
}

/** What a client of any protocol can do about an end (UX-013). */
const remedies: Readonly<Record<number, string>> = {
  [exitCode.unreachable]: 'Is it running, and is the URL right?',
  [exitCode.notAuthenticated]: 'Are the id and its secret or certificate the ones that this server knows?',
}

/** The end of a conversation: what happened, and what to do about it. */
export const endOf = (code: number, sentence: string): CliExit => new CliExit(code, remedies[code] === undefined ? sentence : `${sentence} ${remedies[code]}`)

/** The code that an error deserves. */
export function codeOf(error: unknown): number {
  if (error instanceof CliExit) return error.code
  if (isRefusal(error)) {
    switch (error.kind) {
      case 'invalid': case 'tooLarge': case 'unsupported': return exitCode.usage
      case 'unauthenticated': case 'forbidden': return exitCode.notAuthenticated
      case 'notFound': return exitCode.notFound
      case 'conflict': case 'stale': return exitCode.refused
      case 'unavailable': case 'rateLimited': return exitCode.unreachable
    }
  }
  const code = (error as { code?: unknown } | null)?.code
  if (code === 'ECONNREFUSED' || code === 'ENOTFOUND' || code === 'UND_ERR_CONNECT_TIMEOUT') return exitCode.unreachable
  return exitCode.failed
}
