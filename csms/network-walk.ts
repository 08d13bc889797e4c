import { Refusal } from '#core/error.js'
import type { Clock } from '#core/port/clock.js'
import type { CommandResult } from './command.js'
import type { Journal } from './journal.js'
import type { Station } from './station.js'
import { isoMs } from './time.js'

export interface Walk {
  readonly ocppCsmsUrl: string
  readonly securityProfile: number
  readonly messageTimeout?: number
  /** Which of its interfaces it uses; 2.1 may choose by itself. */
  readonly ocppInterface?: string
  /** It goes to another CSMS (B10) instead of a higher profile here (A05). */
  readonly migrate?: boolean
}

/** Each step as it went, for the operator; the walk ends with the first that did not. */
export interface Steps {
  readonly steps: readonly { readonly action: string; readonly status: string }[]
  readonly done: boolean
}

const priority = { component: { name: 'OCPPCommCtrlr' }, variable: { name: 'NetworkConfigurationPriority' } }

/** A slot that is not in use, of those that the station has (A05, B09). Pure. */
export function freeSlot(station: Station): { slot: number; priority: string[] } | undefined {
  const known = station.variable('OCPPCommCtrlr', 'NetworkConfigurationPriority')
  const split = (text: string | undefined): string[] => (text ?? '').split(',').map((v) => v.trim()).filter((v) => v !== '')
  const used = split(known?.attributes.Actual?.value), all = split(known?.characteristics?.valuesList)
  const free = all.find((slot) => !used.includes(slot)) ?? used.at(-1)
  return free === undefined || (used.length === 1 && free === used[0]) ? undefined : { slot: Number(free), priority: [free, ...used.filter((slot) => slot !== free)] }
}

/** To a higher security profile (A05, OCPP-041) or to another CSMS (B10, OCPP-098): new slot, put first, reset when idle. */
export function networkWalk({ clock, journal, command }: {
  clock: Clock; journal: Journal
  command(station: string, action: string, payload: object, tenant: string): Promise<CommandResult>
}): (station: Station, walk: Walk) => Promise<Steps> {
  return async (station, { ocppCsmsUrl, securityProfile, messageTimeout = 30, ocppInterface, migrate = false }) => {
    const place = freeSlot(station)
    if (!place) throw new Refusal('conflict', 'the station has no free slot in NetworkConfigurationPriority; read it first')
    const steps: { action: string; status: string }[] = []
    const take = async (action: string, payload: object, statusOf: (answer: Record<string, unknown>) => string, good: readonly string[]): Promise<boolean> => {
      const result = await command(station.identity, action, payload, station.tenant)
      const status = result.kind === 'answered' ? statusOf(result.payload) : result.kind === 'refused' ? result.checks.map((c) => c.check).join() : result.kind
      steps.push({ action, status })
      return good.includes(status)
    }
    const plain = (answer: Record<string, unknown>): string => String(answer.status)
    const newer = station.session.version === '2.1'
    const done = await take('SetNetworkProfile', {
      configurationSlot: place.slot, connectionData: { ocppVersion: newer ? 'OCPP21' : 'OCPP20', ocppTransport: 'JSON', ocppCsmsUrl, messageTimeout, securityProfile, ocppInterface: ocppInterface ?? (newer ? 'Any' : 'Wired0') },
    }, plain, ['Accepted'])
      && await take('SetVariables', { setVariableData: [{ ...priority, attributeValue: place.priority.join(',') }] },
        (answer) => (answer.setVariableResult as { attributeStatus: string }[])[0]?.attributeStatus ?? '', ['Accepted', 'RebootRequired'])
      && await take('Reset', { type: 'OnIdle' }, plain, ['Accepted', 'Scheduled'])
    if (done && migrate) {
      station.record.migrating = { to: ocppCsmsUrl, at: isoMs(clock.nowMs()) }
      // It is not to become this CSMS's only profile.
      delete station.record.upgradingTo
      await journal.write([station.document()])
    }
    return { steps, done }
  }
}
