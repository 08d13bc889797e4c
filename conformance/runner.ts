import { createHash } from 'node:crypto'
import { at, mismatch } from '#conformance/match.js'
import type { Exchange, Procedure, Report, Result, Step, Subject, Verdict } from '#conformance/procedure.js'

/** What a driver's action gives back; paths of `expect` and `save` look into it. */
export type Outcome = Readonly<Record<string, unknown>>
export type Action = (args: Readonly<Record<string, unknown>>, run: RunContext) => Promise<Outcome>

/** One procedure's own state: variables, and what must be closed when it ends. */
export interface RunContext {
  readonly variables: Map<string, unknown>
  readonly target: Target
  readonly random: () => number
  readonly nowMs: () => number
  readonly tamper?: Tamper
  onEnd(close: () => Promise<void> | void): void
  transcript(entry: Exchange): void
}

/** Something that stands between the target and the runner and makes it wrong on purpose (conformance/fault): how a set of procedures is itself tested. */
export interface Tamper {
  /** An HTTP answer before it is read, status 0 where the connection was refused; undefined = as it is. */
  http?(answer: RawAnswer, args: Readonly<Record<string, unknown>>): Partial<RawAnswer> | undefined
  /** A frame of a CSMS before the station sees it; null = lost. */
  frame?(frame: unknown): unknown
  /** False: an arrival at a receiver is lost. */
  arrival?(text: string, method: string): boolean
  /** A frame twice, or late. */
  twice?(frame: unknown): boolean
  /** A request of a client under test before it is written down, which is what is judged: as it is (undefined), otherwise, or never sent (null). */
  request?(request: ClientRequest): ClientRequest | null | undefined
  /** How a client under test is started. */
  command?(words: readonly string[]): readonly string[]
}
export interface ClientRequest { readonly method: string; readonly path: string; readonly query: Readonly<Record<string, string>>; readonly headers: Readonly<Record<string, string | string[] | undefined>>; readonly body: unknown }
export interface RawAnswer { readonly status: number; readonly headers: Readonly<Record<string, string | string[] | undefined>>; readonly text: string }

/** Who is tested, from `--config` or `--from` (conformance/README.md). */
export interface Target {
  readonly url: string
  readonly subject: Subject
  readonly profile: string
  readonly capabilities: ReadonlySet<string>
  readonly values: Readonly<Record<string, unknown>>
}

export interface RunOptions {
  readonly procedures: readonly Procedure[]
  readonly actions: Readonly<Record<string, Action>>
  readonly target: Target
  readonly seed: number
  readonly bail?: boolean
  /** How many procedures run at once, where each brings its own peer and they cannot disturb each other; the report keeps the order of the list. */
  readonly lanes?: number
  /** How often one that failed is run again (UX-037); a pass after that is told as flaky, never as a plain pass. */
  readonly retries?: number
  readonly startedAt: string
  readonly elapsed: () => number
  readonly nowMs: () => number
  /** Makes names differ from those of an earlier run against the same target; it never decides order or verdict. */
  readonly nonce: string
  readonly tamper?: Tamper
  readonly onResult?: (result: Result, done: number, of: number) => void
}

/** A small reproducible generator, so that the same seed gives the same order and the same values (UX-038). */
export function seeded(seed: number): () => number {
  let a = seed >>> 0
  return () => {
    a = (a + 0x6d2b79f5) >>> 0
    let t = Math.imul(a ^ (a >>> 15), 1 | a)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

/** Runs the procedures in the order of their list, and judges each. */
export async function runAll(options: RunOptions): Promise<Report> {
  const results: Result[] = []
  let next = 0, done = 0, ended = false
  const lane = async (): Promise<void> => {
    while (!ended && next < options.procedures.length) {
      const at_ = next++
      const result = await runOften(options.procedures[at_] as Procedure, options)
      results[at_] = result
      options.onResult?.(result, ++done, options.procedures.length)
      ended ||= options.bail === true && isBad(result.verdict)
    }
  }
  await Promise.all(Array.from({ length: options.bail ? 1 : Math.max(1, options.lanes ?? 1) }, lane))
  const summary: Record<Verdict, number> = { 'PASSED': 0, 'FAILED': 0, 'ERROR': 0, 'WARNING': 0, 'PARTIAL': 0, 'NOT APPLICABLE': 0 }
  for (const result of results) summary[result.verdict] += 1
  return { target: options.target.url, subject: options.target.subject, profile: options.target.profile, seed: options.seed, startedAt: options.startedAt, summary, results }
}

const isBad = (verdict: Verdict): boolean => verdict === 'FAILED' || verdict === 'ERROR'

async function runOften(procedure: Procedure, options: RunOptions): Promise<Result> {
  const first = await runOne(procedure, options)
  let last = first
  for (let n = 1; n <= (options.retries ?? 0) && isBad(last.verdict); n += 1) {
    last = await runOne(procedure, { ...options, nonce: `${options.nonce}r${n}` })
    if (!isBad(last.verdict)) return { ...last, verdict: 'WARNING', flaky: true, detail: `flaky: ${last.verdict} at attempt ${n + 1}; before: ${first.detail}` }
  }
  return last
}

async function runOne(procedure: Procedure, options: RunOptions): Promise<Result> {
  const begun = options.elapsed()
  const exchanges: Exchange[] = []
  const said = (verdict: Verdict, detail: string): Result => ({
    id: procedure.id, title: procedure.title, clause: procedure.clause, requirements: procedure.requirements, verdict, detail, exchanges, elapsed_ms: Math.round(options.elapsed() - begun),
  })
  const lacking = [...(procedure.needs ?? []).filter((need) => !options.target.capabilities.has(need)), ...missingIdentities(procedure, options.target)]
  if (lacking.length) return said('NOT APPLICABLE', `the target does not declare: ${lacking.join(', ')}`)
  const closers: (() => Promise<void> | void)[] = []
  let tidying = false
  const context: RunContext = {
    variables: new Map(Object.entries({ run: `${options.nonce}-${procedure.id}`, ...options.target.values })),
    target: options.target,
    random: seeded(options.seed ^ hash(procedure.id)),
    nowMs: options.nowMs,
    ...(options.tamper ? { tamper: options.tamper } : {}),
    onEnd: (close) => { closers.push(close) },
    transcript: (entry) => { exchanges.push({ ...entry, at_ms: Math.round(options.elapsed()), ...(tidying ? { after: true } : {}) }) },
  }
  try {
    return await walk(procedure, options, context, said)
  } finally {
    tidying = true
    for (const step of procedure.after ?? []) await act(step, options, context).catch(() => {})
    for (const close of closers.toReversed()) await Promise.resolve(close()).catch(() => {})
  }
}

/** A target that gives its first device a certificate but has no third one is not asked what wants three. */
function missingIdentities(procedure: Procedure, { values }: Target): string[] {
  const given = (values['identities'] ?? {}) as Readonly<Record<string, unknown>>
  if (!('device-1' in given)) return []
  const wanted = new Set(procedure.steps.map((step) => String(step.with?.['as'])).filter((name) => /^(device|aggregator)-\d+$/.test(name)))
  return [...wanted].filter((name) => !(name in given)).map((name) => `identity ${name}`)
}

async function walk(procedure: Procedure, options: RunOptions, context: RunContext, said: (v: Verdict, d: string) => Result): Promise<Result> {
  const warnings: string[] = [], skipped: string[] = []
  for (const step of procedure.steps) {
    const say = inWords(step, context)
    if (step.needs && !options.target.capabilities.has(step.needs)) { skipped.push(`${say} (needs ${step.needs})`); continue }
    let outcome: Outcome, missed: string[]
    try {
      [outcome, missed] = await attempt(step, options, context)
    } catch (error) {
      return said('ERROR', `${say}: ${(error as Error).message}`)
    }
    if (missed.length && step.should) warnings.push(`${say}: ${missed.join('; ')}`)
    else if (missed.length) return said('FAILED', `${say}: ${missed.join('; ')}`)
    for (const [name, path] of Object.entries(step.save ?? {})) context.variables.set(name, at(outcome, path))
  }
  if (warnings.length) return said('WARNING', warnings.join(' · '))
  return skipped.length ? said('PARTIAL', `not exercised: ${skipped.join(' · ')}`) : said('PASSED', `${procedure.steps.length} steps as expected`)
}

/** What a step says, with the addresses and names of this run; as it is written where one of them is not known yet. */
function inWords(step: Step, context: RunContext): string {
  try { return String(fill(step.say, context.variables, context.nowMs())) } catch { return step.say }
}

/** Once, or again and again until it is as expected or `within_ms` has passed. */
async function attempt(step: Step, options: RunOptions, context: RunContext): Promise<[Outcome, string[]]> {
  const deadline = options.elapsed() + (step.within_ms ?? 0)
  for (;;) {
    const outcome = await act(step, options, context)
    const missed = misses(step, outcome, context)
    if (missed.length === 0 || options.elapsed() >= deadline) return [outcome, missed]
    await new Promise((wake) => setTimeout(wake, 100))
  }
}

async function act(step: Step, options: RunOptions, context: RunContext): Promise<Outcome> {
  const action = options.actions[step.do]
  if (!action) throw new Error(`no driver does '${step.do}'`)
  const args = fill(step.with ?? {}, context.variables, context.nowMs()) as Record<string, unknown>
  const outcome = await action(args, context)
  context.transcript({ step: inWords(step, context), sent: args, got: outcome })
  return outcome
}

function misses(step: Step, outcome: Outcome, context: RunContext): string[] {
  // `--xsd`: a document that breaks the user's schema is a miss whatever else was expected.
  const schema = ((outcome.schemaFaults as string[] | undefined) ?? []).map((fault) => `schema: ${fault}`)
  return [...schema, ...Object.entries(step.expect ?? {}).flatMap(([path, wanted]) => {
    const miss = mismatch(at(outcome, path), fill(wanted, context.variables, context.nowMs()) as never)
    return miss === undefined ? [] : [`${path}: ${miss}`]
  })]
}

/**
 * `${name}` alone keeps the variable's type; inside text it is written in. `${now+60}` is that many seconds from now as a number,
 * `${iso+60}` as RFC 3339, `${quarter-900}` from the last quarter of an hour, `${mrid:word}` 32 hexadecimal digits that belong to this run and word, `${short:word}` twelve. An unknown name is an error of the procedure.
 */
export function fill(value: unknown, variables: ReadonlyMap<string, unknown>, nowMs = 0): unknown {
  if (typeof value === 'string') {
    const whole = /^\$\{([^}]+)\}$/.exec(value)
    if (whole) return lookup(whole[1] as string, variables, nowMs)
    return value.replace(/\$\{([^}]+)\}/g, (_, name: string) => String(lookup(name, variables, nowMs)))
  }
  if (Array.isArray(value)) return value.map((one) => fill(one, variables, nowMs))
  if (typeof value === 'object' && value !== null) return Object.fromEntries(Object.entries(value).map(([k, v]) => [fill(k, variables, nowMs) as string, fill(v, variables, nowMs)]))
  return value
}

function lookup(name: string, variables: ReadonlyMap<string, unknown>, nowMs: number): unknown {
  const moment = /^(now|iso|quarter)([+-]\d+)?$/.exec(name)
  if (moment) {
    const now = Math.floor(nowMs / 1000), seconds = (moment[1] === 'quarter' ? now - (now % 900) : now) + Number(moment[2] ?? 0)
    return moment[1] !== 'iso' ? seconds : new Date(seconds * 1000).toISOString()
  }
  const hex = (length: number): string => createHash('sha256').update(`${String(variables.get('run'))} ${name}`).digest('hex').slice(0, length).toUpperCase()
  if (name.startsWith('short:')) return hex(12)
  if (name.startsWith('mrid:')) return hex(32) //  createHash('sha256').update(`${String(variables.get('run'))} ${name}`).digest('hex').slice(0, 32).toUpperCase()
  const [, first = '', rest = ''] = /^([^.[]+)\.?(.*)$/.exec(name) ?? []
  if (!variables.has(first)) throw new Error(`nothing is known as '${name}'; the target's file or an earlier step must give it`)
  return at(variables.get(first), rest)
}

const hash = (text: string): number => [...text].reduce((h, c) => Math.imul(h ^ c.charCodeAt(0), 0x01000193) >>> 0, 0x811c9dc5)
