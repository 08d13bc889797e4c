/** Roles of CORE-225; deny by default. */
export type Role =
  | 'admin' | 'operator' | 'dispatcher' | 'settlement' | 'approver' | 'auditor' | 'viewer' | 'caOfficer' | 'vendor' | 'dso' | 'customer'

/**
 * Who asks, narrowed once per request by a door's `identity.ts`, then frozen. Stores and use cases take it.
 * `subject` is the stable identity (user, OpenADR clientID, LFDI, station id); `user` counts for two-person rules.
 */
export interface Caller {
  readonly tenant: string
  readonly subject: string
  readonly user: string
  readonly kind: 'user' | 'businessLogic' | 'ven' | 'endDevice' | 'aggregator' | 'station' | 'vendor' | 'system'
  readonly roles: readonly Role[]
  /** Program ids the caller may touch; undefined = all of the tenant. */
  readonly programs?: readonly string[]
  /** Resource ids the caller may touch; undefined = all of the tenant. */
  readonly resources?: readonly string[]
  /** Grid nodes the caller may touch; undefined = all of the tenant. */
  readonly nodes?: readonly string[]
}

/** The server itself, for timers and outbox work. */
export const system = (tenant: string): Caller => {
  const roles: readonly Role[] = ['admin']
  return Object.freeze({ tenant, subject: 'system', user: 'system', kind: 'system', roles })
}
