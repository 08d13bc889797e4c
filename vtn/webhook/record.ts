/** What is remembered of one notification to one receiver: kind 'vtn/webhook-delivery', id = the outbox entry's. */
export const deliveryKind = 'vtn/webhook-delivery'
/** One row per broken or failing endpoint: id = the subscription's. */
export const endpointKind = 'vtn/webhook-endpoint'

export interface DeliveryRecord {
  readonly subscription: string
  readonly objectType: string
  readonly operation: string
  readonly object: string
  readonly state: 'delivered' | 'failed' | 'retrying' | 'dropped'
  readonly attempts: number
  readonly status: number | null
  readonly error: string | null
  /** The exact body, so that it can be sent again. */
  readonly body: string
  readonly callbackUrl: string
}

export interface EndpointRecord {
  readonly failures: number
  readonly broken: boolean
  /** Epoch ms of the first failure of this row of failures. */
  readonly since?: number
  /** `${subscription}:${object}` whose first notification has not gone through yet; later ones wait behind it. */
  readonly held: Readonly<Record<string, string>>
}

/** Payload of an outbox row. */
export interface WebhookRow {
  readonly subscription: string
  readonly callbackUrl: string
  readonly objectType: string
  readonly operation: string
  readonly object: string
  readonly body: string
  /** Epoch ms of the notification, for how long it is tried (REL-054). */
  readonly madeAt: number
}

export const webhookTask = 'vtn.webhook'
