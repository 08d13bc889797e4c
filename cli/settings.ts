import { baseUrlSetting, choiceSetting, portSetting, resolve, switchSetting, textSetting, wholeSetting, type Resolved, type Setting } from '#core/config.js'
import { Refusal } from '#core/error.js'
import { existsSync, readFileSync } from 'node:fs'

/** Every setting of the contract (§3). `0` as a port means the door is off. */
export const settings = {
  operatorPort: setting('operatorPort', 'LOADSTONE_OPERATOR_PORT', 8080, 'operator API, console, /docs', portSetting),
  host: setting('host', 'LOADSTONE_HOST', '', 'address that doors listen on; empty: loopback for the operator door, all addresses for the others under serve', textSetting),
  vtnPort: setting('vtnPort', 'LOADSTONE_VTN_PORT', 8081, 'OpenADR VTN, HTTPS', portSetting),
  vtnHttpPort: setting('vtnHttpPort', 'LOADSTONE_VTN_HTTP_PORT', 0, 'the VTN without TLS, loopback, development only', portSetting),
  mqttPort: setting('mqttPort', 'LOADSTONE_MQTT_PORT', 8883, 'MQTT notifier, embedded broker (mqtts)', portSetting),
  mqttUrl: setting('mqttUrl', 'LOADSTONE_MQTT_URL', '', 'an external MQTT broker instead of the embedded one', textSetting, true),
  mqttCallbackSecret: setting('mqttCallbackSecret', 'LOADSTONE_MQTT_CALLBACK_SECRET', '', 'what that broker shows when it asks /mqtt/auth and /mqtt/acl: 32 characters or more, or sha256:HEX of them; empty: it may not ask', textSetting, true),
  csipPort: setting('csipPort', 'LOADSTONE_CSIP_PORT', 8443, 'IEEE 2030.5 / CSIP, mutual TLS', portSetting),
  csipProfile: setting('csipProfile', 'LOADSTONE_CSIP_PROFILE', 'csip', 'profile of the 2030.5 door', choiceSetting('csip', 'csip-aus-1.2', 'csip-aus-1.3', 'generic')),
  estPort: setting('estPort', 'LOADSTONE_EST_PORT', 9443, 'EST and vendor enrolment, HTTPS', portSetting),
  estUrl: setting('estUrl', 'LOADSTONE_EST_URL', '', 'address at which others find that door, or a proxy before it (plain http is usual for revocation): charging stations\' certificates name its /crl and /ocsp; empty: https, the first of LOADSTONE_NAMES or localhost, and the port above', baseUrlSetting),
  ocppPort: setting('ocppPort', 'LOADSTONE_OCPP_PORT', 9000, 'OCPP ws, security profile 1', portSetting),
  ocppTlsPort: setting('ocppTlsPort', 'LOADSTONE_OCPP_TLS_PORT', 9001, 'OCPP wss, security profiles 2 and 3', portSetting),
  databaseUrl: setting('databaseUrl', 'LOADSTONE_DATABASE_URL', '', 'PostgreSQL 15+; unset = embedded, in the data folder', textSetting, true),
  data: setting('data', 'LOADSTONE_DATA', './.loadstone', 'data folder: embedded database, keys, logs of the demo', textSetting),
  portBase: setting('portBase', 'LOADSTONE_PORT_BASE', 0, 'shifts all ports at once: operator B, vtn B+1, vtn http B+2, mqtt B+3, csip B+4, est B+5, ocpp B+6, ocpp tls B+7', portSetting),
  rateLimits: setting('rateLimits', 'LOADSTONE_RATE_LIMITS', true, 'rate limits on every door; the conformance seed turns them off', switchSetting),
  connectionsPerAddress: setting('connectionsPerAddress', 'LOADSTONE_CONNECTIONS_PER_ADDRESS', 2000, 'most connections of one address (IPv6: of one /64) at one door, 0 = no limit; none either with rate limits off', wholeSetting),
  logLevel: setting('logLevel', 'LOADSTONE_LOG_LEVEL', 'warn', 'least level of log lines', choiceSetting('debug', 'info', 'warn', 'error')),
  names: setting('names', 'LOADSTONE_NAMES', '', 'host names of this server besides localhost, comma-separated, for its ordinary TLS certificates', textSetting),
  csipSni: setting('csipSni', 'LOADSTONE_CSIP_SNI', '', 'host names for which the 2030.5 door shows the ordinary certificate in place of the one with a hardwareModuleName, comma-separated', textSetting),
  csipPinned: setting('csipPinned', 'LOADSTONE_CSIP_PINNED', '', 'self-signed device certificates that the 2030.5 door takes (SEP-208): PEM files, or folders of them, comma-separated; empty: the folder pki/pinned in the data folder', textSetting),
  timeZone: setting('timeZone', 'LOADSTONE_TIME_ZONE', 'America/Los_Angeles', 'zone of the 2030.5 Time resource', textSetting),
  sealKey: setting('sealKey', 'LOADSTONE_SEAL_KEY', '', 'key that seals stored private keys and secrets; empty: one is made in the data folder', textSetting, true),
  smtpUrl: setting('smtpUrl', 'LOADSTONE_SMTP_URL', '', 'mail server for notices to customers, smtp://user:password@host:587 or smtps://…; empty: no mail', textSetting, true),
  smtpFrom: setting('smtpFrom', 'LOADSTONE_SMTP_FROM', 'Loadstone <noreply@localhost>', 'sender of those mails', textSetting),
  smsUrl: setting('smsUrl', 'LOADSTONE_SMS_URL', '', 'webhook of an SMS provider for notices; empty: no text messages', textSetting),
  smsSecret: setting('smsSecret', 'LOADSTONE_SMS_SECRET', '', 'signs what is posted to the SMS provider (HMAC-SHA-256)', textSetting, true),
  auditHeads: setting('auditHeads', 'LOADSTONE_AUDIT_HEADS', '', 'file that the head of the audit chain is appended to daily; empty: audit-heads.jsonl in the data folder', textSetting),
  operatorUrl: setting('operatorUrl', 'LOADSTONE_OPERATOR_URL', '', 'address at which people find the console, e.g. https://flex.example.org behind a TLS proxy: makes its cookies Secure, names the relying party of passkeys; empty: http://localhost', textSetting),
  oidcIssuer: setting('oidcIssuer', 'LOADSTONE_OIDC_ISSUER', '', 'OpenID Connect issuer for single sign-on; empty: none. It sends people back to LOADSTONE_OPERATOR_URL/session/oidc/callback', textSetting),
  oidcClientId: setting('oidcClientId', 'LOADSTONE_OIDC_CLIENT_ID', 'loadstone', 'client id at that issuer', textSetting),
  oidcClientSecret: setting('oidcClientSecret', 'LOADSTONE_OIDC_CLIENT_SECRET', '', 'client secret at that issuer; empty: a public client (PKCE alone)', textSetting, true),
  oidcClaim: setting('oidcClaim', 'LOADSTONE_OIDC_CLAIM', 'groups', 'claim of the ID token that names groups or roles', textSetting),
  oidcRoles: setting('oidcRoles', 'LOADSTONE_OIDC_ROLES', '', 'which group has which role, first match decides: flex-admins=admin,flex-ops=operator', textSetting),
  webhookAllow: setting('webhookAllow', 'LOADSTONE_WEBHOOK_ALLOW', '', 'hosts, addresses or networks inside, comma-separated, that operator webhooks and the SMS webhook may reach', textSetting),
} as const

export type Settings = { -readonly [K in keyof typeof settings]: (typeof settings)[K]['default'] }

function setting<T>(key: string, variable: string, fallback: T, meaning: string, read: (text: string) => T, secret = false): Setting<T extends string ? string : T extends number ? number : T extends boolean ? boolean : T> {
  return { key, variable, default: fallback as never, meaning, read: read as never, secret }
}

const ports = ['operatorPort', 'vtnPort', 'vtnHttpPort', 'mqttPort', 'csipPort', 'estPort', 'ocppPort', 'ocppTlsPort'] as const

/** What each command wants when nobody says otherwise, e.g. `up` opens the loopback VTN. */
export type Defaults = Partial<Settings>

/**
 * Reads flag, environment and loadstone.yaml (or `--config FILE`) into settings with their origins. A file may name everything by its variable
 * too; `environment` is what the doors read of their own switches: the variables of the file, below those of the environment (UX-017).
 */
export async function readSettings(flags: Readonly<Record<string, unknown>>, given: NodeJS.ProcessEnv, defaults: Defaults = {}, file?: string): Promise<{ settings: Settings; resolved: Resolved[]; environment: Variables }> {
  const path = file ?? (existsSync('loadstone.yaml') ? 'loadstone.yaml' : undefined)
  const { keys, variables } = parted(path === undefined ? undefined : await contentOf(path))
  const own = Object.values(settings).map((s) => (s.key in defaults ? { ...s, default: defaults[s.key as keyof Settings] } : s)) as Setting<unknown>[]
  const resolved = sound(resolve(own, { flags, environment: given, ...(keys ? { file: keys } : {}) }))
  const value = Object.fromEntries(resolved.map((r) => [r.setting.key, r.value])) as Settings
  const environment = { ...variables, ...given }
  if (Object.keys(variables).length > 0) await known(variables, environment)
  return { settings: shifted(value, resolved), resolved, environment }
}

export type Variables = Readonly<Record<string, string | undefined>>

/** What a file says: settings by their keys, and the doors' own switches by their variables. */
function parted(content: Record<string, unknown> | undefined): { keys: Record<string, unknown> | undefined; variables: Record<string, string> } {
  if (!content) return { keys: undefined, variables: {} }
  const keys: Record<string, unknown> = {}, variables: Record<string, string> = {}, byVariable = new Map<string, string>(Object.values(settings).map((s) => [s.variable, s.key]))
  for (const [name, value] of Object.entries(content)) {
    if (!name.startsWith('LOADSTONE_') || byVariable.has(name)) keys[byVariable.get(name) ?? name] = value
    else variables[name] = String(value)
  }
  return { keys, variables }
}

/** A name that no door reads is a slip of the pen, as an unknown key is. */
async function known(variables: Variables, environment: Variables): Promise<void> {
  const names = (await import('#main/door-settings.js')).doorVariables(environment)
  const faults = Object.keys(variables).filter((name) => !names.has(name)).map((path) => ({ path, reason: 'is not a known setting of loadstone.yaml' }))
  if (faults.length) throw new Refusal('invalid', 'The configuration cannot be used.', { faults })
}

async function contentOf(path: string): Promise<Record<string, unknown> | undefined> {
  const text = ((): string => {
    try { return readFileSync(path, 'utf8') } catch (error) { throw new Refusal('invalid', `${path} cannot be read: ${(error as NodeJS.ErrnoException).code === 'ENOENT' ? 'there is no such file' : (error as Error).message}. Give another --config, or leave it out.`) }
  })()
  const { parse } = await import('yaml')
  const content = ((): unknown => {
    try { return parse(text) } catch (error) { throw new Refusal('invalid', `${path} is not YAML: ${(error as Error).message.trim()}`) }
  })()
  if (content === null || content === undefined) return undefined
  if (typeof content !== 'object' || Array.isArray(content)) throw new Refusal('invalid', `${path} holds no settings: one 'name: value' a line, as 'loadstone config show' names them`)
  return content as Record<string, unknown>
}

/** Values that stand in somebody's example, and no secret of anybody (SEC-068). */
const examples = /^(change-?me|changeit|example|insert-.*|your-.*|secret|password|sealkey|x+|0+|1234.*)$/i

/** SEC-068: a secret out of an example, or one that can be guessed, is refused before anything starts. */
function sound(resolved: Resolved[]): Resolved[] {
  const faults = resolved.flatMap(({ setting: { key, variable, secret }, value, origin }) => {
    if (!secret || value === '') return []
    const text = String(value), given = /^\w+:\/\//.test(text) ? /^\w+:\/\/[^/@]*?:([^@/]*)@/.exec(text)?.[1] ?? '' : text
    const fault = examples.test(given) ? 'is a value out of an example: make one of your own (openssl rand -hex 32)' : key === 'sealKey' && given.length < 16 ? 'has less than 16 characters: openssl rand -hex 32 makes one' : undefined
    return fault ? [{ path: origin === 'environment' ? variable : key, reason: fault }] : []
  })
  if (faults.length) throw new Refusal('invalid', 'The configuration cannot be used.', { faults })
  return resolved
}

/** A port base moves every door that nobody placed by hand. */
function shifted(value: Settings, resolved: readonly Resolved[]): Settings {
  if (!value.portBase) return value
  const moved = { ...value }
  ports.forEach((key, i) => {
    const origin = resolved.find((r) => r.setting.key === key)?.origin
    if (origin === 'default' && value[key] !== 0) moved[key] = value.portBase + i
  })
  return moved
}

/** The ports that a process with these doors listens on; 0 stands for a door that is off. */
export function doorPorts(s: Settings, only: readonly string[]): number[] {
  const by: Record<string, number[]> = {
    operator: [s.operatorPort], vtn: [s.vtnPort, s.vtnHttpPort, s.mqttUrl ? 0 : s.mqttPort], csip: [s.csipPort], est: [s.estPort], csms: [s.ocppPort, s.ocppTlsPort],
  }
  return only.flatMap((door) => by[door] ?? []).filter((port) => port !== 0)
}
