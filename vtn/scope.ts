/** OpenADR 3.1.1 YAML, oAuth2ClientCredentials; `read_bl` is used there and not declared (openadr3.md §2). */
export const scopes = [
  'read_all', 'read_bl', 'read_targets', 'read_ven_objects', 'write_programs', 'write_events', 'write_reports', 'write_subscriptions', 'write_vens',
] as const
export type Scope = (typeof scopes)[number]
export type VtnRole = 'BL' | 'VEN'

/** What each role may be granted; deny by default. OA-035: business logic never gets write_reports. */
export const roleScopes: Readonly<Record<VtnRole, readonly Scope[]>> = {
  BL: ['read_all', 'read_bl', 'read_targets', 'read_ven_objects', 'write_programs', 'write_events', 'write_subscriptions', 'write_vens'],
  VEN: ['read_targets', 'read_ven_objects', 'write_reports', 'write_subscriptions', 'write_vens'],
}

/** OA-032: names of openleadr-rs that also say the role. */
const aliases: Readonly<Record<string, readonly [Scope, VtnRole]>> = {
  write_vens_bl: ['write_vens', 'BL'], write_vens_ven: ['write_vens', 'VEN'],
  write_subscriptions_bl: ['write_subscriptions', 'BL'], write_subscriptions_ven: ['write_subscriptions', 'VEN'],
  write_reports_bl: ['write_reports', 'BL'], write_reports_ven: ['write_reports', 'VEN'],
}

const known = new Set<string>(scopes)
const businessLogic = new Set<string>(['read_all', 'read_bl', 'write_programs', 'write_events'])

/** Scope names of a foreign token → ours and the role (OA-029, OA-032); unknown names are ignored. */
export function readScopes(names: readonly string[]): { role: VtnRole; scopes: ReadonlySet<Scope> } {
  const role: VtnRole = names.some((n) => businessLogic.has(n) || aliases[n]?.[1] === 'BL') ? 'BL' : 'VEN'
  const found = new Set<Scope>()
  for (const n of names) {
    const own = aliases[n]?.[0] ?? (known.has(n) ? n as Scope : undefined)
    if (own && roleScopes[role].includes(own)) found.add(own)
  }
  return { role, scopes: widen(found) }
}

/** OA-033, and read_bl as implied by read_all: reading everything satisfies every read. */
export function widen(given: Iterable<Scope>): ReadonlySet<Scope> {
  const out = new Set(given)
  if (out.has('read_all')) for (const s of ['read_bl', 'read_targets', 'read_ven_objects'] as const) out.add(s)
  return out
}
