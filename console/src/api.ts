import { ended, guardHeader } from './door.ts'

/** The operator API as the pages use it; the session's cookie goes along by itself. */
export interface Problem {
  status: number
  title: string
  detail: string
  checks?: { check: string; detail: string }[]
  faults?: { path?: string; field?: string; row?: number; reason: string }[]
  rows?: { row: number; field: string; reason: string }[]
}

export class ApiError extends Error {
  readonly problem: Problem
  constructor(problem: Problem) {
    super(problem.detail || problem.title)
    this.problem = problem
  }
}

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

async function ask(method: Method, path: string, body: BodyInit | undefined, headers: Record<string, string>): Promise<Response> {
  const answer = await fetch(`/api/v1${path}`, {
    method,
    cache: 'no-store',
    headers: { ...(method === 'GET' ? {} : guardHeader()), ...headers },
    ...(body === undefined ? {} : { body }),
  }).catch(() => {
    throw new ApiError({ status: 0, title: 'unreachable', detail: 'The server cannot be reached.' })
  })
  if (answer.status === 401) ended()
  return answer
}

export async function call<T>(method: Method, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<T> {
  const raw = typeof body === 'string',
    type = { 'content-type': raw ? 'text/csv' : 'application/json' }
  const answer = await ask(method, path, body === undefined ? undefined : raw ? (body as string) : JSON.stringify(body), {
    ...(body === undefined ? {} : type),
    ...headers,
  })
  const text = await answer.text()
  const value: unknown = text ? safeParse(text) : undefined
  if (answer.ok) return value as T
  const p = (typeof value === 'object' && value !== null ? value : {}) as Partial<Problem>
  throw new ApiError({ ...p, status: answer.status, title: p.title ?? answer.statusText, detail: p.detail ?? '' })
}

const safeParse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

export interface List<T> {
  items: T[]
  next: string | null
}

/** All pages of a list; `tell` hears each page, so that a long list shows its beginning at once. */
export async function all<T>(path: string, tell?: (soFar: readonly T[]) => void): Promise<T[]> {
  const items: T[] = []
  let cursor: string | null = null
  do {
    const page: List<T> = await call(
      'GET',
      `${path}${path.includes('?') ? '&' : '?'}limit=1000${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`,
    )
    items.push(...page.items)
    cursor = page.next
    if (cursor && tell) tell([...items])
  } while (cursor)
  return items
}

export const get = <T>(path: string): Promise<T> => call<T>('GET', path)
export const post = <T>(path: string, body: unknown = {}, headers?: Record<string, string>): Promise<T> => call<T>('POST', path, body, headers)
/** A list of one page is enough, or the role may not see it: then nothing. */
export const orNone = <T>(load: Promise<T>): Promise<T | undefined> =>
  load.catch((error: unknown) => {
    if (error instanceof ApiError && [403, 404].includes(error.problem.status)) return undefined
    throw error
  })
