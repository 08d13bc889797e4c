import { isRefusal } from '#core/error.js'
import type { Clock } from '#core/port/clock.js'
import type { Log } from '#core/port/log.js'
import type { DocumentStore } from '#core/port/store/document.js'
import type { CsmsConfig } from './config.js'
import { prepare } from './effect/device-model.js'
import type { EffectNeeds } from './effect/effect.js'
import { effects } from './effect/effects.js'
import type { Fleet } from './fleet.js'
import type { Journal } from './journal.js'
import type { Parts } from './parts.js'
import { localLists as makeLocalLists, type LocalLists } from './local-list.js'
import type { Passwords } from './password.js'
import { postBoot } from './post-boot.js'
import { answersTo, mayAsk, mayCall } from './registration.js'
import { CallFailed } from './rpc/error-code.js'
import type { CallOptions, Payload } from './rpc/outgoing.js'
import { schemasOf } from './rpc/schema.js'
import type { Check, RuleFacts } from './rule/rule.js'
import { rulesOf } from './rule/rules.js'
import { join, split } from './split.js'
import type { Station } from './station.js'
import type { Tokens } from './tokens.js'
import type { Untold } from './untold.js'
import { actionNamed } from './wire/action.js'
import type { IdToken } from './wire/transaction-event.js'

/** How a command ended; the operator's door makes HTTP of it (contract §6). */
export type CommandResult =
  | { readonly kind: 'answered'; readonly payload: Payload }
  | { readonly kind: 'refused'; readonly checks: readonly Check[] }
  | { readonly kind: 'offline' }
  | { readonly kind: 'callError'; readonly code: string; readonly description: string; readonly details: object }
  | { readonly kind: 'silent' }
  | { readonly kind: 'unknownStation' }
  | { readonly kind: 'unknownAction' }

export interface CommandOptions {
  /** The operator knows that an event is on (OCPP-100). */
  readonly force?: boolean
}

export interface Command {
  (stationId: string, action: string, payload: unknown, tenant?: string, options?: CommandOptions): Promise<CommandResult>
  /** OCPP-090: what follows an Accepted boot. */
  afterBoot(station: Station, fresh: boolean): void
  /** OCPP-021: a connection at the ordered profile makes it the only one. */
  settleProfile(station: Station): void
  readonly localLists: LocalLists
}

export function commands({ clock, log, journal, parts, passwords, config, fleet, tokens, documents, untold }: {
  clock: Clock; log: Log; journal: Journal; parts: Parts; passwords: Passwords; config: CsmsConfig; fleet: Fleet
  tokens: Pick<Tokens, 'find'>; documents: DocumentStore; untold: Untold
}): Command {
  const housekeeping = (station: Station, action: string, payload: object): Promise<Payload> => send(station, action, payload, { priority: 'housekeeping' })
  const localLists = makeLocalLists({ documents, journal, send: housekeeping })
  const needs: EffectNeeds = {
    clock, journal, passwords, localLists, untold,
    ask(station, action, payload) {
      housekeeping(station, action, payload).catch((error: unknown) => log.info({ station: station.identity, action, cause: error instanceof Error ? error.message : String(error) }, 'no answer'))
    },
  }

  async function checksOf(station: Station, action: string, payload: object, options: CommandOptions): Promise<Check[]> {
    const { version } = station.session
    const wrong = schemasOf(version).check(action, 'request', payload)
    if (wrong) return [{ check: wrong.code, detail: wrong.description }]
    const held = mayCall(station, action) && mayAsk(station, action, payload) ? []
      : [{ check: station.record.registration === 'rejected' ? 'OCPP-084' : 'OCPP-082', detail: station.record.registration === 'none' ? 'not before a boot of the station was accepted' : `not while the station is ${station.record.registration}` }]
    const token = (payload as { idToken?: IdToken }).idToken
    const facts: RuleFacts = {
      nowMs: clock.nowMs(), assumedStackLevel: config.assumedStackLevel, masterGroup: station.actual('AuthCtrlr', 'MasterPassGroupId') ?? config.masterGroup, force: options.force ?? false,
      tokenGroup: action === 'RequestStartTransaction' && token ? (await tokens.find(station.tenant, token))?.group : undefined,
    }
    return [...held, ...rulesOf(version).get(action)?.(station, payload as never, facts) ?? []]
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

  async function command(stationId: string, action: string, payload: unknown, tenant = config.tenant, options: CommandOptions = {}): Promise<CommandResult> {
    const station = await fleet.find(tenant, stationId)
    if (!station) return { kind: 'unknownStation' }
    const known = actionNamed.get(action)
    if (!known || known.from === 'station') return { kind: 'unknownAction' }
    if (!known.in.includes(station.session.version)) {
      if (!station.session.online) return { kind: 'offline' }
      return { kind: 'refused', checks: [{ check: 'OCPP-057', detail: `${action} is not an action of OCPP ${station.session.version}` }] }
    }
    if (payload === null || typeof payload !== 'object' || Array.isArray(payload)) return { kind: 'refused', checks: [{ check: 'FormatViolation', detail: 'the payload is not an object' }] }
    const checks = await checksOf(station, action, payload, options)
    if (checks.length > 0) return { kind: 'refused', checks }
    if (!station.session.online) return { kind: 'offline' }
    try {
      const answers: Payload[] = []
      for (const piece of split(station, action, payload as Payload)) {
        const answer = await send(station, action, piece, { priority: 'user' })
        answers.push(answer)
        // The next part of a local list stands on the one before (OCPP-120).
        if (action === 'SendLocalList' && answer.status !== 'Accepted') break
      }
      return { kind: 'answered', payload: join(action, answers) }
    } catch (error) {
      return resultOf(error)
    }
  }

  function resultOf(error: unknown): CommandResult {
    // What is down here is no fault of the command.
    if (isRefusal(error) && error.kind !== 'unavailable') return { kind: 'refused', checks: [{ check: error.faults[0]?.reason ?? error.kind, detail: error.message }] }
    if (!(error instanceof CallFailed)) throw error
    switch (error.reason) {
      case 'station': return { kind: 'callError', code: error.code, description: error.message, details: error.details }
      case 'InvalidResponse': return { kind: 'callError', code: 'InvalidResponse', description: error.message, details: {} }
      case 'closed': case 'full': case 'replaced': return { kind: 'offline' }
      case 'timeout': case 'expired': return { kind: 'silent' }
    }
  }

  const afterBoot = postBoot({
    log, journal, parts, config, send: housekeeping,
    command: (station, action, payload) => command(station.identity, action, payload, station.tenant),
  })

  return Object.assign(command, {
    afterBoot, localLists,
    settleProfile(station: Station): void {
      const { record } = station
      if (record.upgradingTo === undefined || record.upgradingTo !== station.profileInUse) return
      record.securityProfiles = [record.upgradingTo]
      delete record.upgradingTo
      journal.write([station.document()]).catch((error: unknown) => log.error({ err: error, station: station.identity, clause: 'A05.FR.07' }, 'profile upgrade not stored'))
    },
  })
}
