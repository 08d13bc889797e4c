import type { Server } from 'node:http'
import type { DispatchChannel } from '#core/port/dispatch-channel.js'
import type { Command } from './command.js'
import type { Campaigns } from './firmware-campaign.js'
import type { Customers } from './customers.js'
import type { Fleet } from './fleet.js'
import type { Steps, Walk } from './network-walk.js'
import type { Provision, StationChange } from './provision.js'
import type { Recorder } from './rpc/recorder.js'
import type { Reported } from './smart-charging/installer.js'
import type { Station } from './station.js'
import type { Tariffs } from './tariff.js'
import type { Tokens } from './tokens.js'
import type { Uploads } from './upload.js'

/** What the rest of the house sees of this room. */
export interface Csms {
  /** Serves upgrades of a node http or https server; both at once is normal (profile 1 beside 2 and 3). */
  attach(server: Server): void
  readonly channel: DispatchChannel
  readonly tokens: Tokens
  readonly fleet: Fleet
  readonly recorder: Recorder
  /** What stations told of customers (OCPP-223). */
  readonly customers: Customers
  /** Stations made and changed by the operator. */
  readonly provision: Provision
  /** Sends any CSMS-initiated message (OCPP-226); resolves with the station's answer. */
  readonly command: Command
  /** Compares the station's profiles with the ledger now (OCPP-201); resolves with those that are not ours. */
  readonly reconcile: (station: Station) => Promise<readonly Reported[] | undefined>
  readonly tariffs: Tariffs
  readonly uploads: Uploads
  readonly campaigns: Campaigns
  /** To a higher security profile or another CSMS (OCPP-041, 098), where the station is. */
  walk(tenant: string, identity: string, walk: Walk): Promise<Steps | undefined>
  /** A customer leaves the events at an EVSE, for the transaction that runs there (OCPP-236). */
  optOut(tenant: string, identity: string, evseId: number, reason: string): Promise<boolean>
  /** Approval and changes of a station, in the process that has it. */
  change(tenant: string, identity: string, change: StationChange & { verdict?: 'accepted' | 'rejected' }): Promise<object | undefined>
  /** The page of a station that another process has; undefined when it is ours, or that process is silent. */
  viewElsewhere(tenant: string, identity: string): Promise<object | undefined>
  close(): Promise<void>
}
