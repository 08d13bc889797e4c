import { serverNow } from '../../session.ts'

export interface Hook {
  id: string
  url: string
  events: string[]
  state: string
  createdAt: string
  createdBy: string
  oldSecretUntil: string | null
  secret?: string
}

export interface Attempt {
  at: string
  ms: number
  status: number | null
  answer: string
  request?: { url: string; headers: Record<string, string> }
}

export interface Sent {
  id: string
  createdAt: string
  state: string
  event: { type: string; entity: string; at: string; reason: string; actor: string }
  attempts: Attempt[]
}

/** A rotation is going on: two secrets sign. */
export const signsAlong = (h: Hook): boolean => h.oldSecretUntil !== null && Date.parse(h.oldSecretUntil) > serverNow()
