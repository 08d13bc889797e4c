export interface Exchange {
  step: string
  sent?: unknown
  got?: unknown
  after?: boolean
}
export interface Result {
  id: string
  title: string
  clause: string
  verdict: string
  detail: string
  requirements: string[]
  exchanges: Exchange[]
}
/** One file that was opened. */
export interface Report {
  file: string
  target: string
  profile: string
  seed: number
  startedAt: string
  results: Result[]
}
export type Change = 'worse' | 'better' | 'other' | 'new' | 'gone' | 'same'
/** A result beside what it was in the report before. */
export interface Row extends Result {
  before: string | undefined
  change: Change
}

const text = (x: unknown): string => (typeof x === 'string' ? x : '')
const list = (x: unknown): unknown[] => (Array.isArray(x) ? (x as unknown[]) : [])
type Members = Record<string, unknown>
const members = (x: unknown): Members => (typeof x === 'object' && x !== null ? (x as Members) : {})

/** A report, or the evidence that holds one; undefined when it is neither. Nothing of the file is trusted to be there. */
export function reportOf(file: string, content: string): Report | undefined {
  const whole = members(JSON.parse(content)),
    of = 'report' in whole ? members(whole.report) : whole
  const found = list(of.results).map(members)
  if (!Array.isArray(of.results) || found.some((r) => text(r.id) === '' || text(r.verdict) === '')) return undefined
  return {
    file,
    target: text(of.target),
    profile: [text(of.subject), text(of.profile)].join(' ').trim(),
    seed: Number(of.seed ?? 0),
    startedAt: text(of.startedAt),
    results: found.map((r) => ({
      id: text(r.id),
      title: text(r.title),
      clause: text(r.clause),
      verdict: text(r.verdict),
      detail: text(r.detail),
      requirements: list(r.requirements).map(text),
      exchanges: list(r.exchanges).map((e) => members(e) as unknown as Exchange),
    })),
  }
}

export const verdicts = ['PASSED', 'FAILED', 'ERROR', 'WARNING', 'PARTIAL', 'NOT APPLICABLE'] as const
/** Counted here: what the list shows is what the sums say. */
export const sums = (of: Report): [string, number][] => verdicts.map((v) => [v, of.results.filter((r) => r.verdict === v).length])

/** How good a verdict is, to say which way it went; ERROR is no pass and no better than a failure (UX-035). */
const rank: Readonly<Record<string, number>> = { 'ERROR': 0, 'FAILED': 0, 'WARNING': 1, 'PARTIAL': 1, 'NOT APPLICABLE': 2, 'PASSED': 3 }
function changed(before: string | undefined, now: string): Change {
  if (before === undefined) return 'new'
  const way = (rank[now] ?? 0) - (rank[before] ?? 0)
  return way > 0 ? 'better' : way < 0 ? 'worse' : before === now ? 'same' : 'other'
}

/** Results beside those of the report before; what it had and this one has not stands at the end. */
export function beside(now: Report, before: Report | undefined): Row[] {
  const was = new Map(before?.results.map((r) => [r.id, r.verdict])),
    is = new Set(now.results.map((r) => r.id))
  const gone = (before?.results ?? []).filter((r) => !is.has(r.id)).map((r): Row => ({ ...r, verdict: 'none', before: r.verdict, change: 'gone' }))
  return [...now.results.map((r): Row => ({ ...r, before: was.get(r.id), change: before ? changed(was.get(r.id), r.verdict) : 'same' })), ...gone]
}

const pretty = (x: unknown): string => (typeof x === 'string' ? x : (JSON.stringify(x, null, 2) ?? ''))
const headers = (x: unknown): string[] => Object.entries(members(x)).map(([name, value]) => `${name}: ${String(value)}`)

/** What went, or came: HTTP as HTTP is written, everything else as it stands. */
export function readable(what: unknown): string {
  const m = members(what),
    body = m.json ?? m.body ?? m.text ?? m.xml
  if ('status' in m && 'headers' in m) return [`HTTP ${String(m.status)}`, ...headers(m.headers), '', pretty(body ?? '')].join('\n').trim()
  if (!('method' in m && ('path' in m || 'url' in m))) return pretty(what ?? '')
  const known = new Set(['method', 'path', 'url', 'as', 'headers', 'json', 'body', 'text', 'xml']),
    more = Object.entries(m).filter(([k]) => !known.has(k)).map(([k, v]) => `${k}: ${typeof v === 'string' ? v : JSON.stringify(v)}`)
  const first = `${String(m.method)} ${String(m.path ?? m.url)}`
  return [first, ...(m.as === undefined ? [] : [`(${String(m.as)})`]), ...headers(m.headers), ...more, '', pretty(body ?? '')].join('\n').trim()
}
