import { LocalCalendar, dateOf, dayNumber } from '#core/baseline/calendar.js'
import { revisionsOf } from '#core/dispatch/revisions.js'
import { present, seesProgram, absent } from '#core/permission.js'
import type { Caller } from '#core/caller.js'
import { every } from '#core/port/store/every.js'
import type { Stores } from '#core/port/store/index.js'
import { programAt } from '#core/program/versions.js'
import type { Channel, Reading } from '#core/reading/reading.js'
import type { RunInput } from '#core/settlement/run.js'
import { evaluationPlan } from '#core/verification/evaluate.js'
import type { PerformanceBody } from '#core/verification/verify.js'

/**
 * CORE-236, forwards: from a statement (or one of its lines) to the run and its hashes, the rule version, the performance result, every revision
 * and instruction with its acknowledgements, consent, and the raw readings as they were known when they were used.
 */
export async function statementLineage(stores: Stores, caller: Caller, id: string, line?: string) {
  const { tenant } = caller, statement = present(await stores.statements.get(tenant, id), 'statement', id), run = present(await stores.settlementRuns.get(tenant, statement.run), 'settlement run', statement.run)
  if (!seesProgram(caller, run.program)) throw absent('statement', id)
  const input = run.input as RunInput, program = present(await programAt(stores, tenant, run.program, run.programVersion), 'program', run.program)
  const enrolments = (await every((page) => stores.enrolments.list(tenant, { servicePoint: statement.servicePoint, program: run.program }, page))).map((e) => ({ id: e.id, state: e.state, share: e.share, consent: e.consent, history: e.history }))
  const lines = []
  for (const event of input.events.filter((e) => (line === undefined || e.dispatch === line) && e.points.some((p) => p.id === statement.servicePoint))) {
    const dispatch = await stores.dispatches.get(tenant, event.dispatch), verification = await stores.verifications.get(tenant, event.verification)
    const body = verification?.body as PerformanceBody | undefined
    const deliveries = (await stores.deliveries.of(tenant, event.dispatch)).filter((d) => d.servicePoint === statement.servicePoint)
    lines.push({
      dispatch: event.dispatch, revisions: dispatch ? await revisionsOf(stores, dispatch) : [], instructions: deliveries.map((d) => ({ id: d.id, resource: d.resource, order: d.order, state: d.state, reason: d.reason, attempts: d.attempts, remoteRef: d.remoteRef, sentAt: d.sentAt, deliveredAt: d.deliveredAt, acknowledgedAt: d.acknowledgedAt })),
      verification: verification && { id: verification.id, method: verification.method, methodVersion: verification.methodVersion, inputHash: verification.inputHash, createdAt: verification.createdAt, days: body?.days ?? [], point: body?.points.find((p) => p.servicePoint === statement.servicePoint) ?? null },
      rules: await programAt(stores, tenant, run.program, dispatch?.programVersion ?? run.programVersion),
      readings: dispatch && verification ? await readingsUsed(stores, tenant, statement.servicePoint, program.timeZone, program.intervalMinutes, dispatch, body?.days ?? [], verification.createdAt) : [],
    })
  }
  const { input: _i, result: _r, ...ofRun } = run
  return { statement: { id: statement.id, servicePoint: statement.servicePoint, amount: statement.amount, currency: statement.currency }, run: ofRun, enrolments, lines }
}

/** Readings of the event and of the same local hours on the days of the baseline, each in the version that was known then. */
async function readingsUsed(stores: Stores, tenant: string, point: string, zone: string, minutes: number, event: { start: number; end: number }, days: readonly string[], knownAt: number): Promise<(Reading & { superseded?: boolean })[]> {
  const calendar = new LocalCalendar(zone, minutes), here = calendar.locate(event.start), length = event.end - event.start, out: (Reading & { superseded?: boolean })[] = []
  const windows = [{ start: event.start, end: event.end }, ...days.flatMap((d) => { const start = calendar.instants(dayNumber(d), here.minute)[0]; return start === undefined ? [] : [{ start, end: start + length }] })]
  for (const w of windows) for (const channel of ['import', 'export'] as const)
    for (const r of await stores.readings.series(tenant, point, channel, w.start, w.end)) {
      if (r.receivedAt <= knownAt) out.push(r)
      else {
        const then = (await stores.readings.history(tenant, point, channel, r.start)).filter((h) => h.receivedAt <= knownAt).at(-1)
        if (then) out.push({ ...then, superseded: true })
      }
    }
  return out
}

/** CORE-236, backwards: every result that looked at one interval of a point, and the statements that were made of it. */
export async function readingLineage(stores: Stores, caller: Caller, servicePoint: string, start: number, channel: Channel) {
  const { tenant } = caller, point = present(await stores.servicePoints.find(tenant, servicePoint), 'service point', servicePoint)
  const [reading] = await stores.readings.series(tenant, point.id, channel, start, start + 1), history = await stores.readings.history(tenant, point.id, channel, start)
  if (!reading) throw absent('reading', `${servicePoint} ${new Date(start * 1000).toISOString()} ${channel}`)
  const mine = new Set((await every((page) => stores.resources.list(tenant, { servicePoint: point.id }, page))).map((r) => r.id))
  const programs = new Map((await every((page) => stores.programs.list(tenant, {}, page))).map((p) => [p.id, p])), results = [], uses = new Set<string>()
  // an event may look 90 days back (CORE-148, CORE-150)
  for (const d of await every((page) => stores.dispatches.list(tenant, { from: start - 86_400, to: start + 92 * 86_400 }, page), 200)) {
    const program = programs.get(d.program)
    if (!program || !seesProgram(caller, program.id) || !d.allocation.some((a) => mine.has(a.resource))) continue
    const plan = evaluationPlan(program, d), here = plan.calendar.locate(start), minutes = new Set([...plan.minutes, ...plan.windowMinutes])
    for (const v of await every((page) => stores.verifications.list(tenant, { dispatch: d.id, kind: 'performance' }, page), 200)) {
      const body = v.body as PerformanceBody, inEvent = start >= d.start && start < d.end, day = dateOf(here.day)
      const role = inEvent ? 'metered' : day === dateOf(plan.eventDay) && minutes.has(here.minute) ? 'adjustment' : body.days.includes(day) && minutes.has(here.minute) ? 'baseline' : undefined
      if (role === undefined || !body.points.some((p) => p.servicePoint === point.id)) continue
      // a value that came later was not part of it; what it superseded was
      const version = reading.receivedAt <= v.createdAt ? reading.sourceVersion : history.filter((h) => h.receivedAt <= v.createdAt).at(-1)?.sourceVersion
      if (version === undefined) continue
      uses.add(v.id)
      results.push({ verification: v.id, dispatch: d.id, program: program.id, role, sourceVersion: version, inputHash: v.inputHash, computedAt: v.createdAt })
    }
  }
  const statements = []
  for (const program of new Set(results.map((r) => r.program)))
    for (const run of await every((page) => stores.settlementRuns.list(tenant, { program }, page), 100)) {
      const events = (run.input as RunInput).events.filter((e) => uses.has(e.verification))
      if (events.length === 0) continue
      for (const s of (await every((page) => stores.statements.list(tenant, { run: run.id, servicePoint: point.id }, page)))) statements.push({ statement: s.id, run: run.id, runNumber: run.runNumber, state: run.state, dispatches: events.map((e) => e.dispatch), amount: s.amount, currency: s.currency })
    }
  return { reading, superseded: history, results, statements }
}
