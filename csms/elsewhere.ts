import type { DeliveryOrder } from '#core/port/dispatch-channel.js'
import type { Log } from '#core/port/log.js'
import type { Command, CommandOptions, CommandResult } from './command.js'
import type { Csms } from './csms.js'
import { ocppChannel } from './dispatch-channel.js'
import type { Fleet } from './fleet.js'
import { alone, type Neighbours } from './neighbours.js'
import type { Walk } from './network-walk.js'
import type { Provision } from './provision.js'
import type { Recorder } from './rpc/recorder.js'
import type { Installer } from './smart-charging/installer.js'
import { stationPage, view } from './station-page.js'
import { keyOf, type Station } from './station.js'

/** What the operator's side does with a station, done in the process that has it: the others know an older one. */
type Here = Pick<Csms, 'walk' | 'optOut' | 'change'> & { page(tenant: string, identity: string): Promise<object | undefined> }

export interface OwnNeeds {
  readonly fleet: Fleet
  readonly installer: Installer
  readonly provisioning: Provision
  readonly recorder: Recorder
  walk(station: Station, plan: Walk): ReturnType<Csms['walk']>
}

/** The same in this process. */
export const here = ({ fleet, installer, provisioning, recorder, walk }: OwnNeeds): Here => ({
  async walk(tenant, identity, plan) {
    const station = await fleet.find(tenant, identity)
    return station && walk(station, plan)
  },
  async optOut(tenant, identity, evseId, reason) {
    const station = await fleet.find(tenant, identity)
    return station !== undefined && installer.optOut(station, evseId, reason)
  },
  async change(tenant, identity, { verdict, ...change }) {
    const station = await fleet.find(tenant, identity)
    if (!station) return undefined
    if (verdict) await provisioning.approve(station, verdict)
    else await provisioning.change(station, change)
    return view(station)
  },
  async page(tenant, identity) {
    const station = await fleet.find(tenant, identity)
    return station && stationPage(station, recorder)
  },
})

/** Answers the questions of other processes about stations that this one has. */
export function answers({ fleet, installer, log, command, own }: { fleet: Fleet; installer: Installer; log: Log; command: Command; own: Here }): (question: string, content: unknown) => Promise<unknown> {
  const channel = ocppChannel({ installer, find: fleet.find, log, near: alone })
  const known: Readonly<Record<string, (content: never) => Promise<unknown>>> = {
    command: (content: Parameters<Command>) => command(...content),
    send: (content: DeliveryOrder[]) => channel.send(content),
    cancel: (content: [DeliveryOrder[], string]) => channel.cancel(...content),
    walk: (content: Parameters<Here['walk']>) => own.walk(...content),
    optOut: (content: Parameters<Here['optOut']>) => own.optOut(...content),
    change: (content: Parameters<Here['change']>) => own.change(...content),
    view: (content: Parameters<Here['page']>) => own.page(...content),
  }
  return async (question, content) => {
    const answer = Object.hasOwn(known, question) ? known[question] : undefined
    if (!answer) throw new Error('no such question')
    return answer(content as never)
  }
}

/** What the operator's side asks, wherever the station is. */
export function elsewhere({ near, own, command, tenant: usual, log }: { near: Neighbours; own: Here; command: Command; tenant: string; log: Log }): Pick<Csms, 'walk' | 'optOut' | 'change' | 'viewElsewhere' | 'command'> {
  async function where<T>(tenant: string, identity: string, question: string, content: unknown, mine: () => Promise<T>): Promise<T> {
    const owner = near.ownerOf(keyOf(tenant, identity))
    return owner === undefined ? mine() : await near.ask(owner, question, content) as T
  }
  async function routed(stationId: string, action: string, payload: unknown, tenant = usual, options: CommandOptions = {}): Promise<CommandResult> {
    const owner = near.ownerOf(keyOf(tenant, stationId))
    if (owner === undefined) return command(stationId, action, payload, tenant, options)
    try {
      return await near.ask(owner, 'command', [stationId, action, payload, tenant, options]) as CommandResult
    } catch (error) {
      log.warn({ err: error, station: stationId }, 'the process that has the station did not answer')
      return { kind: 'offline' }
    }
  }
  return {
    command: Object.assign(routed, { afterBoot: command.afterBoot, settleProfile: command.settleProfile, localLists: command.localLists }),
    walk: (...content) => where(content[0], content[1], 'walk', content, () => own.walk(...content)),
    optOut: (...content) => where(content[0], content[1], 'optOut', content, () => own.optOut(...content)),
    change: (...content) => where(content[0], content[1], 'change', content, () => own.change(...content)),
    async viewElsewhere(tenant, identity) {
      const owner = near.ownerOf(keyOf(tenant, identity))
      return owner === undefined ? undefined : await near.ask(owner, 'view', [tenant, identity]).catch(() => undefined) as object | undefined
    },
  }
}
