import type { Enrolment, EnrolmentState } from '#core/program/enrolment.js'
import type { Program } from '#core/program/program.js'
import type { Resource } from '#core/program/resource.js'
import type { ServicePoint } from '#core/program/service-point.js'

/** Eligibility as data (CORE-021), in the program's `rules.eligibility`; an absent rule asks nothing. */
export interface Eligibility {
  readonly nodes?: readonly string[]
  readonly kinds?: readonly string[]
  readonly protocols?: readonly string[]
  readonly minPower_W?: number
  readonly minHistoryDays?: number
  readonly maxMeterMinutes?: number
  readonly consentRequired?: boolean
  readonly testRequired?: boolean
}

export interface Applicant {
  readonly point: ServicePoint
  readonly resources: readonly Resource[]
  /** Local days with any reading, and the longest meter interval seen; undefined = not looked at. */
  readonly historyDays?: number
  readonly meterMinutes?: number
}

export interface FailingRule {
  readonly rule: string
  readonly detail: string
}

type Rule = (rules: Eligibility, a: Applicant) => string | undefined

const rules: Readonly<Record<string, Rule>> = {
  node: ({ nodes }, { point }) => (!nodes || point.gridPath.some((n) => nodes.includes(n)) ? undefined : `not below ${nodes.join(' or ')}`),
  kind: ({ kinds }, { resources }) => (!kinds || resources.some((r) => kinds.includes(r.kind)) ? undefined : `no resource of kind ${kinds.join(' or ')}`),
  protocol: ({ protocols }, { resources }) => (!protocols || resources.some((r) => r.bindings.some((b) => protocols.includes(b.protocol))) ? undefined : `no resource speaks ${protocols.join(' or ')}`),
  minPower: ({ minPower_W }, { resources }) => {
    const power = resources.reduce((sum, r) => sum + r.rated_W, 0)
    return minPower_W === undefined || power >= minPower_W ? undefined : `${power} W installed, ${minPower_W} W needed`
  },
  history: ({ minHistoryDays }, { historyDays }) =>
    minHistoryDays === undefined || (historyDays ?? 0) >= minHistoryDays ? undefined : `${historyDays ?? 0} days of readings, ${minHistoryDays} needed`,
  meterInterval: ({ maxMeterMinutes }, { meterMinutes }) =>
    maxMeterMinutes === undefined || meterMinutes === undefined || meterMinutes <= maxMeterMinutes ? undefined : `metered every ${meterMinutes} minutes, ${maxMeterMinutes} or finer needed`,
}

export function asksForReadings(program: Pick<Program, 'rules'>): boolean {
  const own = (program.rules.eligibility ?? {}) as Eligibility
  return own.minHistoryDays !== undefined || own.maxMeterMinutes !== undefined
}

/** CORE-021: all failing rules at once. */
export function screen(program: Pick<Program, 'rules'>, applicant: Applicant): FailingRule[] {
  const own = (program.rules.eligibility ?? {}) as Eligibility
  return Object.entries(rules).flatMap(([rule, ask]) => {
    const detail = ask(own, applicant)
    return detail === undefined ? [] : [{ rule, detail }]
  })
}

/**
 * CORE-020 activate, CORE-022. Interpretation: a program whose tariff contains the consent asks for none of its own; consent that
 * was withdrawn always bars, a missing one bars where `eligibility.consentRequired` says so.
 */
export function activation(program: Pick<Program, 'rules'>, enrolment: Enrolment, tested: boolean): FailingRule[] {
  const own = (program.rules.eligibility ?? {}) as Eligibility, out: FailingRule[] = []
  if (enrolment.consent?.withdrawnAt !== undefined) out.push({ rule: 'consent', detail: 'consent was withdrawn' })
  if (own.consentRequired && !enrolment.consent) out.push({ rule: 'consent', detail: 'no consent in force' })
  if (own.testRequired && !tested) out.push({ rule: 'test', detail: 'no test passed' })
  return out
}

export type Verdict = 'exclusive' | 'stack-capacity' | 'stack-energy-once' | 'free'

/** CORE-023: what the programs' compatibility tables say of each other ('*' = of any other), the stricter of the two; exclusive when they are silent. */
export function verdict(a: Pick<Program, 'id' | 'name' | 'rules'>, b: Pick<Program, 'id' | 'name' | 'rules'>): Verdict {
  const strict: readonly Verdict[] = ['exclusive', 'stack-capacity', 'stack-energy-once', 'free']
  const says = (p: typeof a, other: typeof a): Verdict | undefined => {
    const table = (p.rules.compatibility ?? {}) as Record<string, Verdict>
    return table[other.id] ?? table[other.name] ?? table['*']
  }
  const found = [says(a, b), says(b, a)].filter((v) => v !== undefined)
  return found.length === 0 ? 'exclusive' : found.sort((x, y) => strict.indexOf(x) - strict.indexOf(y))[0]!
}

/** States in which an enrolment holds its place beside others. */
export const holds: ReadonlySet<EnrolmentState> = new Set(['applied', 'eligible', 'verified', 'active', 'suspended'])
