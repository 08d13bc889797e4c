import type { Procedure, Result, Verdict } from '#conformance/procedure.js'
import { seeded } from '#conformance/runner.js'

export interface Selection {
  readonly profile: string
  /** Ids, id prefixes ending in *, requirement numbers, `tag:NAME` or clauses in part. */
  readonly only: readonly string[]
  readonly smoke: boolean
  readonly seed: number
}

/** The procedures of a run, in an order that the seed alone decides (UX-037, UX-038). */
export function select(all: readonly Procedure[], selection: Selection): Procedure[] {
  const chosen = all
    .filter((p) => p.profiles.includes(selection.profile) || p.profiles.includes('*'))
    .filter((p) => !selection.smoke || p.smoke === true)
    .filter((p) => selection.only.length === 0 || selection.only.some((word) => picks(word, p)))
    .toSorted((a, b) => (a.id < b.id ? -1 : 1))
  if (selection.seed === 0) return chosen
  const random = seeded(selection.seed)
  return chosen.map((p) => ({ p, key: random() })).toSorted((a, b) => a.key - b.key).map(({ p }) => p)
}

function picks(word: string, p: Procedure): boolean {
  if (word.startsWith('tag:')) return p.tags?.includes(word.slice(4)) ?? false
  if (word.endsWith('*')) return p.id.startsWith(word.slice(0, -1))
  return p.id === word || p.requirements.includes(word) || p.clause.includes(word)
}

/** Every capability that some procedure asks for, and what an adapter of ours does before a run. */
export const capabilitiesOf = (all: readonly Procedure[]): ReadonlySet<string> => new Set(['operator-secrets', ...all.flatMap((p) => [...(p.needs ?? []), ...p.steps.flatMap((step) => step.needs ?? [])])])

/** Judges results against a list of expected failures: one id a line, `#` for reasons; an unexpected pass fails too (UX-037). */
export function againstExpected(results: readonly Result[], text: string): { result: Result; unexpected?: string }[] {
  const expected = new Set(text.split('\n').map((line) => line.replace(/#.*/, '').trim()).filter(Boolean))
  return results.map((result) => {
    const failed = bad(result.verdict)
    if (failed && expected.has(result.id)) return { result }
    if (failed) return { result, unexpected: 'it failed' }
    return expected.has(result.id) && result.verdict === 'PASSED' ? { result, unexpected: 'it passed though it is listed as an expected failure' } : { result }
  })
}

export const bad = (verdict: Verdict): boolean => verdict === 'FAILED' || verdict === 'ERROR'
