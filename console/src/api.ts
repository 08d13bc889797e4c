/** The operator API as the pages use it. The token lives in this tab's session only. */
export interface Problem { status: number; title: string; detail: string; checks?: { check: string; detail: string }[]; faults?: { path?: string; field?: string; row?: number; reason: string }[] }

export class ApiError extends Error {
  readonly problem: Problem
  constructor(problem: Problem) {
    super(problem.detail || problem.title)
    this.problem = problem
  }
}

const storeKey = 'loadstone.token'
export const token = (): string | null => sessionStorage.getItem(storeKey)
export const setToken = (value: string | null): void => { if (value === null) sessionStorage.removeItem(storeKey); else sessionStorage.setItem(storeKey, value) }

export async function call<T>(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<T> {
  const answer = await fetch(`/api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${token() ?? ''}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  }).catch(() => { throw new ApiError({ status: 0, title: 'unreachable', detail: 'The server cannot be reached.' }) })
  const text = await answer.text()
  const value: unknown = text ? safeParse(text) : undefined
  if (answer.ok) return value as T
  const p = (typeof value === 'object' && value !== null ? value : {}) as Partial<Problem>
  throw new ApiError({ ...p, status: answer.status, title: p.title ?? answer.statusText, detail: p.detail ?? '' })
}

const safeParse = (text: string): unknown => { try { return JSON.parse(text) } catch { return text } }

export interface List<T> { items: T[]; next: string | null }

export async function all<T>(path: string): Promise<T[]> {
  const items: T[] = []
  let cursor: string | null = null
  do {
    const page: List<T> = await call('GET', `${path}${path.includes('?') ? '&' : '?'}limit=1000${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`)
    items.push(...page.items)
    cursor = page.next
  } while (cursor)
  return items
}
