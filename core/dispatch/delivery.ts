import type { DeliveryOrder } from '#core/port/dispatch-channel.js'
import type { Entity } from '#core/port/store/entity.js'

/** What has become of one device's part: tracking (CORE-103) and the acknowledgement words of CORE-102. */
export type DeliveryState =
  | 'queued' | 'sent' | 'delivered' | 'received' | 'accepted' | 'rejected' | 'started' | 'completed'
  | 'optedOut' | 'optedIn' | 'cancelled' | 'superseded' | 'partial' | 'noComms'

/** One resource's part of one dispatch: the instruction as sent, and where it stands. */
export interface Delivery extends Entity {
  readonly dispatch: string
  readonly resource: string
  readonly servicePoint: string
  readonly order: DeliveryOrder
  readonly state: DeliveryState
  readonly reason: string | null
  readonly attempts: number
  /** The protocol's own id of what was sent: event id, mRID, chargingProfileId. */
  readonly remoteRef: string | null
  readonly sentAt: number | null
  readonly deliveredAt: number | null
  readonly acknowledgedAt: number | null
  readonly stateAt: number
}

/** What a door heard from a device about one delivery; `at` in epoch ms. */
export interface Happening {
  readonly tenant: string
  readonly delivery: string
  readonly state: Exclude<DeliveryState, 'queued'>
  readonly at: number
  readonly reason?: string
  readonly remoteRef?: string
}
