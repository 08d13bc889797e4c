/** Verdicts of UX-035. ERROR = could not judge; it never counts as a pass. */
export type Verdict = 'PASSED' | 'FAILED' | 'ERROR' | 'WARNING' | 'PARTIAL' | 'NOT APPLICABLE'

export type Subject = 'vtn' | 'csip' | 'csms' | 'est' | 'ven'

/**
 * One black-box procedure as data: what must be so before, the steps, what is expected, and the clause that says so.
 * Steps name drivers' actions; values may hold `${name}`, filled from the target's file and from what earlier steps saved.
 */
export interface Procedure {
  readonly id: string
  readonly title: string
  /** Numbered requirements it covers: OA-…, SEP-…, OCPP-… */
  readonly requirements: readonly string[]
  readonly clause: string
  readonly profiles: readonly string[]
  readonly tags?: readonly string[]
  /** Part of `--smoke`. */
  readonly smoke?: boolean
  /** Capabilities that the target must declare; a missing one makes it NOT APPLICABLE. */
  readonly needs?: readonly string[]
  readonly steps: readonly Step[]
  /** Done at the end whatever happened, to leave the target as it was; what they find is not judged. */
  readonly after?: readonly Step[]
}

/** A step: the driver's action with its arguments, and what its outcome must look like. */
export interface Step {
  /** What it is, in words, for the report. */
  readonly say: string
  /** `driver.action`, e.g. 'http.request', 'ocpp.call', 'ocpp.expect'. */
  readonly do: string
  readonly with?: Readonly<Record<string, unknown>>
  readonly expect?: Readonly<Record<string, Matcher>>
  /** name → path into the outcome, for later steps. */
  readonly save?: Readonly<Record<string, string>>
  /** A miss makes WARNING instead of FAILED (a SHOULD). */
  readonly should?: boolean
  /** When the target lacks this capability the step is left out and the verdict is PARTIAL. */
  readonly needs?: string
  /** The step is done again until it is as expected or this time has passed: for what a server may do a little later. */
  readonly within_ms?: number
}

/** What a value must be: itself, or one of the operators below. Paths are dotted, `[n]` for elements, `length` for sizes. */
export type Matcher =
  | string | number | boolean | null
  | { readonly oneOf: readonly unknown[] } | { readonly matches: string } | { readonly exists: boolean } | { readonly atLeast: number } | { readonly atMost: number }
  | { readonly same: unknown } | { readonly lexical: string } | { readonly sameSet: readonly unknown[] } | { readonly any: readonly Matcher[] }
  | { readonly contains: unknown } | { readonly lacks: unknown } | { readonly equals: unknown } | { readonly sorted: 'asc' | 'desc'; readonly by?: string } | { readonly not: Matcher }
  | { readonly each: Matcher } | { readonly inOrderOf: readonly string[] } | { readonly near: number; readonly within: number } | { readonly unique: true } | { readonly notBetween: readonly [number, number] } | { readonly decimals: number } | { readonly all: readonly Matcher[] }

export interface Exchange {
  readonly step: string
  /** Milliseconds since the run began, when the answer was there. */
  readonly at_ms?: number
  readonly sent?: unknown
  readonly got?: unknown
  /** Of the steps that leave the target as it was. */
  readonly after?: true
}

export interface Result {
  readonly id: string
  readonly title: string
  readonly clause: string
  readonly requirements: readonly string[]
  readonly verdict: Verdict
  /** What was expected and what came, in a sentence. */
  readonly detail: string
  readonly exchanges: readonly Exchange[]
  /** It failed at first and passed when run again (`--retries`). */
  readonly flaky?: true
  readonly elapsed_ms: number
}

export interface Report {
  readonly target: string
  readonly subject: Subject
  readonly profile: string
  readonly seed: number
  readonly startedAt: string
  readonly summary: Record<Verdict, number>
  readonly results: readonly Result[]
}
