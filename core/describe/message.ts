/** One message of a message-based standard (OCPP): the official JSON Schema describes its payloads, this adds the rest. */
export interface Message {
  readonly action: string
  readonly block: string
  readonly clause: string
  /** Who may send it. */
  readonly from: 'chargingStation' | 'csms' | 'both'
}

export const message = (action: string, block: string, from: Message['from'], clause: string): Message =>
  Object.freeze({ action, block, from, clause })
