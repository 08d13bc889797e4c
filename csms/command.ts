import { isRefusal } from '#core/error.js'
import type { Clock } from '#core/port/clock.js'
import type { Log } from '#core/port/log.js'
import type { DocumentStore } from '#core/port/store/document.js'
import type { CsmsConfig } from './config.js'
import { effects, prepare, type EffectNeeds } from './effect.js'
import type { Fleet } from './fleet.js'
import type { Journal } from './journal.js'
import type { Parts } from './parts.js'
import type { Passwords } from './password.js'
import { transactionDocument } from './message/transaction-event.js'
import { answersTo, mayCall } from './registration.js'
import { CallFailed } from './rpc/error-code.js'
import type { CallOptions, Payload } from './rpc/outgoing.js'
import type { Recorder } from './rpc/recorder.js'
import { schemasOf } from './rpc/schema.js'
import type { Check } from './rule/rule.js'
import { rules2x } from './rule/rules.js'
import { join, split } from './split.js'
import type { Station } from './station.js'
import type { Tokens } from './tokens.js'
import { actionNamed } from './wire/action.js'

/** Boot reasons after which transactions may have been lost (OCPP-086). */
const restarts = new Set(['PowerUp', 'Watchdog', 'LocalReset'])

/** How a command ended; the operator's door makes HTTP of it (contract §6). */
export type CommandResult =
  | { readonly kind: 'answered'; readonly payload: Payload }
  | { readonly kind: 'refused'; readonly checks: readonly Check[] }
  | { readonly kind: 'offline' }
  | { readonly kind: 'callError'; readonly code: string; readonly description: string; readonly details: object }
  | { readonly kind: 'silent' }
  | { readonly kind: 'unknownStation' }
  | { readonly kind: 'unknownAction' }

export interface Command {
  (stationId: string, action: string, payload: unknown, tenant?: string): Promise<CommandResult>
  /** OCPP-090: what follows an Accepted boot. */
  afterBoot(station: Station, fresh: boolean): void
  /** OCPP-021: a connection at the ordered profile makes it the only one. */
  settleProfile(station: Station): void
}

export function commands({ clock, log, journal, parts, passwords, config, fleet }: {
  clock: Clock; log: Log; journal: Journal; parts: Parts; passwords: Passwords; config: CsmsConfig; fleet: Fleet
  tokens: Tokens; documents: DocumentStore; recorder: Recorder
}): Command {
  const needs: EffectNeeds = { clock, journal, passwords }

  function checksOf(station: Station, action: string, payload: object): Check[] {
    const { version } = station.session
    const wrong = schemasOf(version).check(action, 'request', payload)
    if (wrong) return [{ check: wrong.code, detail: wrong.description }]
    const held = mayCall(station, action) ? [] : [{ check: station.record.registration === 'rejected' ? 'OCPP-084' : 'OCPP-082', detail: `not while the station is ${station.record.registration}` }]
    const facts = { nowMs: clock.nowMs(), assumedStackLevel: config.assumedStackLevel, masterGroup: config.masterGroup }
    return [...held, ...(version === '1.6' ? [] : rules2x.get(action)?.(station, payload as never, facts) ?? [])]
  }

  /** One CALL, with what must be ready before it and what follows from its answer. */
  async function send(station: Station, action: string, payload: object, options: CallOptions): Promise<Payload> {
    for (const message of answersTo(action, payload as Payload)) (station.allowed ??= new Map()).set(message, clock.nowMs() + 300_000)
    const undo = await prepare(station, action, payload as Payload, needs)
    const after = effects.get(action)
    const apply = async (answer: Payload): Promise<void> => after?.(station, payload as Payload, answer, needs)
    let answer: Payload
    try {
      answer = await station.session.call(action, payload, { ...options, late: (late) => void apply(late).catch((error: unknown) => log.error({ err: error, action }, 'late answer')) })
    } catch (error) {
      await undo?.()
      throw error
    }
    await apply(answer)
    return answer
  }

  async function command(stationId: string, action: string, payload: unknown, tenant = config.tenant): Promise<CommandResult> {
    const station = await fleet.find(tenant, stationId)
    if (!station) return { kind: 'unknownStation' }
    const known = actionNamed.get(action)
    if (!known || known.from === 'station') return { kind: 'unknownAction' }
    if (!known.in.includes(station.session.version)) {
      if (!station.session.online) return { kind: 'offline' }
      return { kind: 'refused', checks: [{ check: 'OCPP-057', detail: `${action} is not an action of OCPP ${station.session.version}` }] }
    }
    if (payload === null || typeof payload !== 'object' || Array.isArray(payload)) return { kind: 'refused', checks: [{ check: 'FormatViolation', detail: 'the payload is not an object' }] }
    const checks = checksOf(station, action, payload)
    if (checks.length > 0) return { kind: 'refused', checks }
    if (!station.session.online) return { kind: 'offline' }
    try {
      const answers: Payload[] = []
      for (const piece of split(station, action, payload as Payload)) answers.push(await send(station, action, piece, { priority: 'user' }))
      return { kind: 'answered', payload: join(action, answers) }
    } catch (error) {
      return resultOf(error)
    }
  }

  function resultOf(error: unknown): CommandResult {
    if (isRefusal(error)) return { kind: 'refused', checks: [{ check: error.faults[0]?.reason ?? error.kind, detail: error.message }] }
    if (!(error instanceof CallFailed)) throw error
    switch (error.reason) {
      case 'station': return { kind: 'callError', code: error.code, description: error.message, details: error.details }
      case 'InvalidResponse': return { kind: 'callError', code: 'InvalidResponse', description: error.message, details: {} }
      case 'closed': case 'full': case 'replaced': return { kind: 'offline' }
      case 'timeout': case 'expired': return { kind: 'silent' }
    }
  }

  async function ask(station: Station, action: string, payload: object): Promise<void> {
    try {
      await send(station, action, payload, { priority: 'housekeeping' })
    } catch (error) {
      log.info({ station: station.identity, action, cause: error instanceof Error ? error.message : String(error) }, 'a post-boot question got no answer')
    }
  }

  /** B07: a partial report keeps what it brought; nothing known is deleted (OCPP-092). */
  async function baseReport(station: Station, requestId: number): Promise<void> {
    const report = parts.expect(station, 'NotifyReport', requestId)
    await ask(station, 'GetBaseReport', { requestId, reportBase: 'FullInventory' })
    const { state } = await report
    if (state !== 'complete') log.info({ station: station.identity, state, clause: 'OCPP-092' }, 'the base report is not complete')
  }

  /** OCPP-086, 141: a reboot ends no transaction by itself, so each open one is asked for. */
  async function askOpen(station: Station): Promise<void> {
    for (const t of [...station.transactions.values()].filter((x) => !x.ended)) {
      try {
        const answer = await send(station, 'GetTransactionStatus', { transactionId: t.id }, { priority: 'housekeeping' })
        if (answer.ongoingIndicator === false && answer.messagesInQueue === false) {
          t.orphaned = true
          await journal.write([transactionDocument(station, t)])
        }
      } catch (error) {
        log.info({ station: station.identity, transaction: t.id, cause: error instanceof Error ? error.message : String(error) }, 'no transaction status')
      }
    }
  }

  return Object.assign(command, {
    afterBoot(station: Station, fresh: boolean): void {
      if (station.session.version !== '1.6' && restarts.has(station.record.boot?.reason ?? '')) void askOpen(station)
      if (!config.postBootReport || !fresh) return
      if (station.session.version === '1.6') return void ask(station, 'GetConfiguration', {})
      const requestId = (station.record.counters.request += 1)
      void baseReport(station, requestId)
    },
    settleProfile(station: Station): void {
      const { record } = station
      if (record.upgradingTo === undefined || record.upgradingTo !== station.profileInUse) return
      record.securityProfiles = [record.upgradingTo]
      delete record.upgradingTo
      journal.write([station.document()]).catch((error: unknown) => log.error({ err: error, station: station.identity, clause: 'A05.FR.07' }, 'profile upgrade not stored'))
    },
  })
}
