import type { Accuracy } from '#core/baseline/accuracy.js'
import type { Enrolment, EnrolmentState } from '#core/program/enrolment.js'
import type { Program } from '#core/program/program.js'
import type { Resource } from '#core/program/resource.js'
import type { ServicePoint } from '#core/program/service-point.js'

/** Eligibility as data (CORE-021), in the program's `rules.eligibility`; an absent rule asks nothing. */
export interface Eligibility {
  readonly nodes?: readonly string[]
  readonly kinds?: readonly string[]
  readonly protocols?: readonly string[]
  readonly customerClasses?: readonly string[]
  readonly minPower_W?: number
  readonly minHistoryDays?: number
  readonly maxMeterMinutes?: number
  /** CORE-165 on the point's own newest days without an event: RRMSE at most 0.20 where not said otherwise, |bias| only where asked. */
  readonly baselineAccuracy?: { readonly rrmseMax?: number; readonly biasMax?: number }
  /** Every device that a certificate identifies has one that is neither expired nor revoked. */
  readonly certificateValid?: boolean
  readonly consentRequired?: boolean
  readonly testRequired?: boolean
  /** No activation while a device behind the point has no fail-safe (CORE-202); without it that device alone is left out of dispatch. */
  readonly failSafeRequired?: boolean
}

export interface Applicant {
  readonly point: ServicePoint
  readonly resources: readonly Resource[]
  /** Local days with any reading, and the longest meter interval seen; undefined = not looked at. */
  readonly historyDays?: number
  readonly meterMinutes?: number
  /** undefined = no day without an event on which the method can be tried. */
  readonly accuracy?: Accuracy | undefined
  /** What is wrong with the certificates of the point's devices, one sentence each. */
  readonly certificates?: readonly string[]
}

export interface FailingRule {
  readonly rule: string
  readonly detail: string
}

type Rule = (rules: Eligibility, a: Applicant) => string | undefined

const places = (value: number | null | undefined): string => (value === null || value === undefined ? 'not computable' : value.toFixed(3))

const rules: Readonly<Record<string, Rule>> = {
  node: ({ nodes }, { point }) => (!nodes || point.gridPath.some((n) => nodes.includes(n)) ? undefined : `not below ${nodes.join(' or ')}`),
  kind: ({ kinds }, { resources }) => (!kinds || resources.some((r) => kinds.includes(r.kind)) ? undefined : `no resource of kind ${kinds.join(' or ')}`),
  protocol: ({ protocols }, { resources }) => (!protocols || resources.some((r) => r.bindings.some((b) => protocols.includes(b.protocol))) ? undefined : `no resource speaks ${protocols.join(' or ')}`),
  customerClass: ({ customerClasses }, { point }) =>
    !customerClasses || (point.customerClass && customerClasses.includes(point.customerClass)) ? undefined : `${point.customerClass ? `the customer is ${point.customerClass}` : 'no customer class is known'}, ${customerClasses.join(' or ')} needed`,
  minPower: ({ minPower_W }, { resources }) => {
    const power = resources.reduce((sum, r) => sum + r.rated_W, 0)
    return minPower_W === undefined || power >= minPower_W ? undefined : `${power} W installed, ${minPower_W} W needed`
  },
  history: ({ minHistoryDays }, { historyDays }) =>
    minHistoryDays === undefined || (historyDays ?? 0) >= minHistoryDays ? undefined : `${historyDays ?? 0} days of readings, ${minHistoryDays} needed`,
  meterInterval: ({ maxMeterMinutes }, { meterMinutes }) =>
    maxMeterMinutes === undefined || (meterMinutes !== undefined && meterMinutes <= maxMeterMinutes) ? undefined : `${meterMinutes === undefined ? 'no reading tells how often it is metered' : `metered every ${meterMinutes} minutes`}, ${maxMeterMinutes} or finer needed`,
  baselineAccuracy: ({ baselineAccuracy: limits }, { accuracy: a }) => {
    if (!limits || a?.eligible) return undefined
    if (!a) return 'no day without an event has the readings to try the baseline on'
    return `RRMSE ${places(a.rrmse ?? a.cvrmse)} with ${limits.rrmseMax ?? 0.2} allowed${limits.biasMax === undefined ? '' : `, bias ${places(a.bias)} with ${limits.biasMax} allowed`}`
  },
  certificate: ({ certificateValid }, { certificates }) => (!certificateValid || certificates?.length === 0 ? undefined : certificates?.join('; ') ?? 'nobody here knows certificates'),
}

/** Whether a rule of the program looks at readings, which are only fetched then. */
export function asksForReadings(program: Pick<Program, 'rules'>): boolean {
  const own = (program.rules.eligibility ?? {}) as Eligibility
  return own.minHistoryDays !== undefined || own.maxMeterMinutes !== undefined || own.baselineAccuracy !== undefined
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
export function activation(program: Pick<Program, 'rules'>, enrolment: Enrolment, tested: boolean, unsafe: readonly string[] = []): FailingRule[] {
  const own = (program.rules.eligibility ?? {}) as Eligibility, out: FailingRule[] = []
  if (enrolment.consent?.withdrawnAt !== undefined) out.push({ rule: 'consent', detail: 'consent was withdrawn' })
  if (own.consentRequired && !enrolment.consent) out.push({ rule: 'consent', detail: 'no consent in force' })
  if (own.failSafeRequired) out.push(...unsafe.map((detail) => ({ rule: 'failSafe', detail })))
  if (own.testRequired && !tested) out.push({ rule: 'test', detail: 'no test passed' })
  return out
}

/** CORE-023, the strictest first. */
export const verdicts = ['exclusive', 'stack-capacity', 'stack-energy-once', 'free'] as const
export type Verdict = (typeof verdicts)[number]

/** CORE-023: what the programs' compatibility tables say of each other ('*' = of any other), the stricter of the two; exclusive when they are silent. */
export function verdict(a: Pick<Program, 'id' | 'name' | 'rules'>, b: Pick<Program, 'id' | 'name' | 'rules'>): Verdict {
  const says = (p: typeof a, other: typeof a): Verdict | undefined => {
    const table = (p.rules.compatibility ?? {}) as Record<string, Verdict>
    return table[other.id] ?? table[other.name] ?? table['*']
  }
  const found = [says(a, b), says(b, a)].filter((v) => v !== undefined)
  return found.length === 0 ? 'exclusive' : found.sort((x, y) => verdicts.indexOf(x) - verdicts.indexOf(y))[0]!
}

/** States in which an enrolment holds its place beside others. */
export const holds: ReadonlySet<EnrolmentState> = new Set(['applied', 'eligible', 'verified', 'active', 'suspended'])
