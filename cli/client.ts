import { Agent, interceptors, request } from 'undici'
import { CliExit, exitCode } from '#cli/exit-code.js'

/** The operator API as the command line uses it. `url` is the door's root, e.g. http://localhost:8080. */
export interface OperatorClient {
  readonly url: string
  /** The answer's body; a problem becomes a CliExit with the exit code of UX-012. */
  call<T>(method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body?: unknown, headers?: Record<string, string>): Promise<T>
  /** What is no JSON, as text: a page, a CSV. */
  text(path: string, headers?: Record<string, string>): Promise<string>
  /** What is no text, e.g. Parquet. */
  bytes(path: string): Promise<Buffer>
  /** The same with any body and the raw answer. */
  send(method: string, path: string, body: string | Buffer | undefined, headers: Record<string, string>): Promise<{ status: number; headers: Record<string, string | string[] | undefined>; body: unknown; raw: Buffer }>
  /** All items of a list, page by page. */
  all<T>(path: string): Promise<T[]>
  as(token: string): OperatorClient
  close(): Promise<void>
  /** Closes without waiting for answers. */
  abandon(): Promise<void>
}

export function operatorClient(url: string, token: string, agent: Agent = new Agent({ connections: 8, pipelining: 1, keepAliveTimeout: 30_000, bodyTimeout: 300_000, headersTimeout: 300_000 })): OperatorClient {
  const base = `${url.replace(/\/$/, '')}/api/v1`
  // a server that is short of something for a moment says when to come back; asked again is only what has one effect however often it is asked
  const patient = agent.compose(interceptors.retry({ statusCodes: [429, 503], errorCodes: [], methods: ['GET', 'PUT', 'DELETE', 'POST'], maxRetries: 6, minTimeout: 500, maxTimeout: 10_000, throwOnError: false }))
  async function send(method: string, path: string, body: string | Buffer | undefined, headers: Record<string, string>) {
    try {
      const answer = await request(`${base}${path}`, {
        method: method as 'GET', dispatcher: repeatable(method, path, headers) ? patient : agent, headers: { authorization: `Bearer ${token}`, ...headers }, ...(body === undefined ? {} : { body }),
      })
      const raw = Buffer.from(await answer.body.arrayBuffer())
      return { status: answer.statusCode, headers: answer.headers, body: parse(raw.toString('utf8')), raw }
    } catch (cause) {
      throw new CliExit(exitCode.unreachable, `The server at ${url} cannot be reached (${(cause as Error).message}). Is it running, and is the URL right?`)
    }
  }
  async function call<T>(method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body?: unknown, headers: Record<string, string> = {}): Promise<T> {
    const answer = await send(method, path, body === undefined ? undefined : JSON.stringify(body), { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers })
    if (answer.status >= 400) throw problem(method, path, answer.status, answer.body, text(answer.headers['x-request-id']))
    return answer.body as T
  }
  async function page(path: string, headers: Record<string, string> = {}): Promise<string> {
    const { status, headers: said, body } = await send('GET', path, undefined, headers)
    if (status >= 400) throw problem('GET', path, status, body, text(said['x-request-id']))
    return typeof body === 'string' ? body : `${JSON.stringify(body)}\n`
  }
  async function bytes(path: string): Promise<Buffer> {
    const { status, headers: said, body, raw } = await send('GET', path, undefined, {})
    if (status >= 400) throw problem('GET', path, status, body, text(said['x-request-id']))
    return raw
  }
  async function all<T>(path: string): Promise<T[]> {
    const items: T[] = []
    let cursor: string | null = null
    do {
      const join = path.includes('?') ? '&' : '?'
      const page: { items: T[]; next: string | null } = await call('GET', `${path}${join}limit=1000${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`)
      items.push(...page.items)
      cursor = page.next
    } while (cursor)
    return items
  }
  return { url, call, text: page, bytes, send, all, as: (other) => operatorClient(url, other, agent), close: () => agent.close(), abandon: () => agent.destroy() }
}

/** One effect however often it is asked: reads, replacements, readings (CORE-115) and what carries a key (CORE-013). */
const repeatable = (method: string, path: string, headers: Record<string, string>): boolean =>
  ['GET', 'PUT', 'DELETE'].includes(method) || (method === 'POST' && (path === '/readings' || 'idempotency-key' in headers))

const text = (header: string | string[] | undefined): string | undefined => (typeof header === 'string' ? header : undefined)

const parse = (text: string): unknown => {
  try { return JSON.parse(text) } catch { return text }
}

/** Which command shows what there is. */
const shows: Readonly<Record<string, string>> = { 'program': 'program', 'resource': 'resource', 'service point': 'service-point', 'enrolment': 'enrolment', 'dispatch': 'dispatch', 'station': 'station', 'vendor': 'vendor', 'webhook': 'webhook', 'token': 'token', 'dispute': 'dispute', 'settlement run': 'settlement' }

/** What to do about it, where that can be said (UX-013). */
function advice(status: number, detail: string): string {
  const missing = shows[/^there is no ([a-z ]+?) '/.exec(detail)?.[1] ?? '']
  if (status === 404 && missing !== undefined) return `\n  'npx loadstone ${missing} list' shows what there is.`
  return status === 401 ? '\n  Give --token or LOADSTONE_TOKEN; the first token of a server stands in operator.token of its data folder.' : ''
}

function problem(method: string, path: string, status: number, body: unknown, request: string | undefined): CliExit {
  const p = (body ?? {}) as { title?: string; detail?: string; instance?: string; checks?: { check: string; detail: string }[]; faults?: { path?: string; field?: string; row?: number; reason: string }[] }
  const code = status === 401 || status === 403 ? exitCode.notAuthenticated : status === 404 ? exitCode.notFound
    : status === 409 || status === 412 || (status === 422 && p.checks) ? exitCode.refused : status === 400 || status === 422 ? exitCode.usage : status === 503 ? exitCode.unreachable : exitCode.failed
  const details = [...(p.checks ?? []).map((c) => `  ${c.check}: ${c.detail}`), ...(p.faults ?? []).slice(0, 20).map((f) => `  ${f.row === undefined ? '' : `row ${f.row} `}${f.path ?? f.field ?? ''}: ${f.reason}`)]
  return new CliExit(code, [`${p.detail ?? p.title ?? `The server answered ${status}`} (${method} ${path}: ${status}${request ? `, request ${request}` : ''})`, ...details].join('\n') + advice(status, p.detail ?? ''))
}
