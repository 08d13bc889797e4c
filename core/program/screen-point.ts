import { accuracy, type Accuracy } from '#core/baseline/accuracy.js'
import { LocalCalendar, weekday } from '#core/baseline/calendar.js'
import { nominatedBaselines } from '#core/flex/prognosis.js'
import type { Program } from '#core/program/program.js'
import type { Resource } from '#core/program/resource.js'
import { asksForReadings, screen, type Applicant, type Eligibility, type FailingRule } from '#core/program/screening.js'
import type { ServicePoint } from '#core/program/service-point.js'
import type { Interval } from '#core/quantity/interval.js'
import { evaluationPlan, placeboOf, reach } from '#core/verification/evaluate.js'
import { extrasOf } from '#core/verification/extras.js'
import { resample } from '#core/verification/resample.js'
import { eventDays, payable } from '#core/verification/verify.js'
import type { Work } from '#core/work.js'

/** CORE-021: everything that a rule asks for is fetched, and nothing else; all failing rules come back at once. */
export async function screenPoint(work: Work, program: Program, point: ServicePoint, resources: readonly Resource[]): Promise<FailingRule[]> {
  const own = (program.rules.eligibility ?? {}) as Eligibility
  const measured = asksForReadings(program) ? await readingsOf(work, program, point, own) : {}
  const certificates = own.certificateValid ? await certificatesOf(work, point.tenant, resources) : undefined
  return screen(program, { point, resources, ...measured, ...(certificates ? { certificates } : {}) })
}

const twoMonths_s = 60 * 86_400

async function readingsOf({ stores, clock }: Work, program: Program, point: ServicePoint, own: Eligibility): Promise<Pick<Applicant, 'historyDays' | 'meterMinutes' | 'accuracy'>> {
  const now = clock.now(), calendar = new LocalCalendar(program.timeZone, program.intervalMinutes)
  const series = await stores.readings.series(point.tenant, point.id, 'import', now - twoMonths_s, now)
  return {
    historyDays: new Set(series.map((r) => calendar.locate(r.start).day)).size, ...(series.length > 0 ? { meterMinutes: Math.max(...series.slice(-96).map((r) => r.minutes)) } : {}),
    ...(own.baselineAccuracy ? { accuracy: await accuracyOf(stores, program, point, own.baselineAccuracy, likelyEvent(program, calendar, now)) } : {}),
  }
}

/**
 * CORE-165 "event-like hours". Interpretation: the hours in which the program may call, 16 to 20 where it does not say, on the newest
 * day before today of a kind on which it may.
 */
function likelyEvent(program: Program, calendar: LocalCalendar, now: number): Interval {
  const [from, to] = program.limits.hours ?? [16, 20], weekdays = program.limits.weekdays ?? [1, 2, 3, 4, 5]
  let day = calendar.locate(now).day - 1
  while (!weekdays.includes(weekday(day) || 7)) day--
  const start = calendar.instants(day, from * 60)[0] ?? calendar.bounds(day).start
  return { start, end: start + Math.max(1, to - from) * 3600 }
}

async function accuracyOf(stores: Work['stores'], program: Program, point: ServicePoint, limits: NonNullable<Eligibility['baselineAccuracy']>, event: Interval): Promise<Accuracy | undefined> {
  const plan = evaluationPlan(program, event), span = reach(plan), step_s = program.intervalMinutes * 60, { tenant } = point
  const found = (await stores.readings.net(tenant, [point.id], span.start, span.end, { net: program.netting === 'net', qualities: payable })).get(point.id)
  const Wh = resample(found?.start ?? [], found?.Wh ?? [], span.start, span.end, step_s), excluded = await eventDays(stores, tenant, program, undefined, [point.id], span)
  const nominated = program.baseline.method === 'NOMINATED' ? (await nominatedBaselines(stores, tenant, program, { span, event, orderedAt: Infinity })).of(point.id) : undefined
  const { baseline, actual } = placeboOf(plan, { from: span.start, step_s, Wh }, excluded, { ...await extrasOf(stores, tenant, program, span), ...(nominated ? { nominated } : {}) })
  return accuracy(baseline, actual, limits)
}

/**
 * Interpretation: of our protocols 2030.5 alone knows a device by its certificate (the LFDI is its fingerprint), so that it can be judged before the device
 * comes; stations and VENs are judged at their door.
 */
async function certificatesOf({ stores, certificates }: Work, tenant: string, resources: readonly Resource[]): Promise<string[] | undefined> {
  if (!certificates) return undefined
  const out: string[] = []
  for (const r of resources) for (const b of r.bindings) {
    const wrong = b.protocol === 'ieee2030_5' ? await certificates(stores, tenant, b.remoteId) : undefined
    if (wrong !== undefined) out.push(`the certificate of '${r.name}' ${wrong}`)
  }
  return out
}
