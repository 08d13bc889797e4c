import { choiceSetting, resolve, switchSetting, textSetting, wholeSetting, baseUrlSetting, type Setting } from '#core/config.js'
import type { ExternalIdp, VtnConfig } from '#vtn/config.js'
import { Refusal } from '#core/error.js'

type Environment = Readonly<Record<string, string | undefined>>

const at = <T>(variable: string, meaning: string, read: (text: string) => T, initial?: T): Setting<T | undefined> => ({ key: variable, variable, default: initial, meaning, read })
const status = <S extends '400' | '401' | '403' | '409'>(...of: readonly S[]) => (text: string): number => Number(choiceSetting(...of)(text))
const listOf = (text: string): string[] => text.split(',').map((one) => one.trim()).filter(Boolean)
const base = (text: string): string => {
  if (!/^(\/[A-Za-z0-9._~-]+)*\/?$/.test(text)) throw new Error(`must be a path like /openadr3/3.1.1, or / for none, not '${text}'`)
  return text.replace(/\/$/, '')
}
/** Keys and tokens travel over HTTPS; over HTTP on this machine only. */
const safe = (text: string): string => {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol !== 'https:' && !(url?.protocol === 'http:' && ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname))) throw new Error(`must be an https address, not '${text}'`)
  return text
}
const brokers = (text: string): string[] => listOf(text).map((one) => {
  if (!URL.canParse(one) || !/^(mqtts?|wss?):$/.test(new URL(one).protocol)) throw new Error(`must be mqtt, mqtts, ws or wss addresses, not '${one}'`)
  return one
})
const claims = (text: string): ('client_id' | 'azp')[] => listOf(text).map(choiceSetting('client_id', 'azp'))

/** Switches of this door that have no place in the contract's table; each is off, or as the standard has it, unless set. */
export const vtnSettings = {
  base31: at('LOADSTONE_VTN_BASE_PATH', 'OA-004: also under this path', base),
  base301: at('LOADSTONE_VTN_BASE_PATH_301', 'OA-004: 3.0.1 also under this path', base),
  publicUrl: at('LOADSTONE_VTN_PUBLIC_URL', 'OA-021: the address that clients see, where a proxy stands before this door', baseUrlSetting),
  badToken31: at('LOADSTONE_VTN_INVALID_TOKEN_STATUS', 'OA-027: how a bad token is answered', status('401', '403'), 401),
  badToken301: at('LOADSTONE_VTN_INVALID_TOKEN_STATUS_301', 'OA-027: the same on 3.0.1', status('401', '403'), 403),
  idpTokenUrl: at('LOADSTONE_VTN_IDP_TOKEN_URL', 'OA-022: another identity provider issues the tokens, here', safe),
  idpJwksUrl: at('LOADSTONE_VTN_IDP_JWKS_URL', 'OA-029: its keys', safe),
  idpSecret: { ...at('LOADSTONE_VTN_IDP_HS256_SECRET', 'OA-029: or the secret that it signs with, 32 bytes or more', textSetting), secret: true },
  idpIssuer: at('LOADSTONE_VTN_IDP_ISSUER', 'OA-029: `iss` of its tokens', textSetting),
  idpAudience: at('LOADSTONE_VTN_IDP_AUDIENCE', 'OA-029: `aud` of its tokens', textSetting),
  idpClientId: at('LOADSTONE_VTN_IDP_CLIENT_ID', 'OA-029: claims that hold the clientID, before `sub`: client_id, azp', claims),
  rate: at('LOADSTONE_VTN_RATE_PER_MINUTE', 'OA-031: requests a minute and client, where LOADSTONE_RATE_LIMITS is on', wholeSetting, 600),
  blDelete: at('LOADSTONE_VTN_REPORTS_BL_DELETE', 'OA-035: business logic may delete reports, on 3.1', switchSetting, true),
  unknownRef: at('LOADSTONE_VTN_REFS_UNKNOWN_STATUS', 'OA-091: how an unknown reference is answered; 409 on 3.1, 400 on 3.0.1', status('400', '409')),
  deletion: at('LOADSTONE_VTN_DELETE_POLICY', 'OA-093: what hangs on an object goes with it, or keeps it', choiceSetting('cascade', 'restrict'), 'cascade'),
  payloads: at('LOADSTONE_VTN_PAYLOADS', 'OA-087: payload values against the enumerations', choiceSetting('off', 'warn', 'strict'), 'warn'),
  lenientDescriptors: at('LOADSTONE_VTN_LENIENT_DESCRIPTORS', 'OA-085: `objectType` of payload descriptors may be left out', switchSetting, false),
  lenientNulls: at('LOADSTONE_VTN_LENIENT_NULLS', 'OA-056: null counts as absent where the standard has no null', switchSetting, false),
  gac: at('LOADSTONE_VTN_GRID_AWARE_CHARGING', 'OA-260: the rules of Grid Aware Charging 2.1 for programs of that type', switchSetting, false),
  publicReads: at('LOADSTONE_VTN_PUBLIC_READS', 'OA-030: reads without token see what is for everybody', switchSetting, false),
  openReads: at('LOADSTONE_VTN_301_OPEN_READS', 'OA-248: VENs on 3.0.1 read everything, as its letter has it', switchSetting, false),
  discovery: at('LOADSTONE_VTN_DISCOVERY', 'OA-220: announced on the local network', switchSetting, false),
  echo: at('LOADSTONE_VTN_WEBHOOK_ECHO', 'OA-121: the challenge of a new receiver', choiceSetting('required', 'warn', 'off'), 'required'),
  allow: at('LOADSTONE_VTN_WEBHOOK_ALLOW', 'OA-128: names, addresses or CIDR blocks of private receivers', listOf),
  webhookHttp: at('LOADSTONE_VTN_WEBHOOK_HTTP', 'OA-120: receivers without TLS, for development', switchSetting, false),
  notifyReads: at('LOADSTONE_VTN_WEBHOOK_READS', 'OA-123: READ notifications', switchSetting, false),
  attempts: at('LOADSTONE_VTN_WEBHOOK_ATTEMPTS', 'OA-129: attempts between 2 s and 5 min', wholeSetting, 8),
  retryFor: at('LOADSTONE_VTN_WEBHOOK_RETRY_HOURS', 'REL-054: after those, hourly until so many hours have passed', wholeSetting, 0),
  mqttUris: at('LOADSTONE_VTN_MQTT_URIS', 'OA-135: where clients reach the broker; by default the host that they asked', brokers),
  mqttPrefix: at('LOADSTONE_VTN_MQTT_PREFIX', 'OA-137: before every topic', textSetting),
  mqttPublic: at('LOADSTONE_VTN_MQTT_PUBLIC_TOPICS', 'OA-034: program topics for every VEN, with what is for everybody', switchSetting, false),
  mqttAnonymous: at('LOADSTONE_VTN_MQTT_ANONYMOUS', 'OA-261: the embedded broker takes clients without a token, for public topics', switchSetting, false),
}
type Values = { readonly [K in keyof typeof vtnSettings]: ReturnType<(typeof vtnSettings)[K]['read']> | undefined }

type Given = Omit<VtnConfig, 'tenant' | 'mqtt'> & { readonly mqtt: Partial<NonNullable<VtnConfig['mqtt']>> }

/** Throws `invalid` with every variable that cannot be read, at once. */
export function vtnEnvironment(environment: Environment): Given {
  const names = Object.keys(vtnSettings) as (keyof Values)[], found = resolve(Object.values(vtnSettings), { environment })
  const v = Object.fromEntries(names.map((name, i) => [name, found[i]?.value])) as Values
  const idp = identityProvider(v)
  return defined({
    basePath31: v.base31, basePath301: v.base301, publicUrl: v.publicUrl, ratePerMinute: v.rate, publicReads: v.publicReads, discovery: v.discovery,
    auth: defined({ invalidTokenStatus31: v.badToken31, invalidTokenStatus301: v.badToken301, externalIdp: idp }),
    reports: defined({ blDelete: v.blDelete }), refs: defined({ unknownStatus: v.unknownRef }), delete: defined({ policy: v.deletion }), compat301: defined({ openReads: v.openReads }),
    validation: defined({ payloads: v.payloads, lenientDescriptors: v.lenientDescriptors, lenientNulls: v.lenientNulls, gridAwareCharging: v.gac }),
    webhooks: defined({ echo: v.echo, allow: v.allow, allowHttp: v.webhookHttp, notifyReads: v.notifyReads, attempts: v.attempts, retryFor_h: v.retryFor }),
    mqtt: defined({ uris: v.mqttUris, prefix: v.mqttPrefix, publicTopics: v.mqttPublic, authentication: v.mqttAnonymous ? 'ANONYMOUS' : undefined }),
  }) as Given
}

function identityProvider(v: Values): ExternalIdp | undefined {
  const others = [v.idpJwksUrl, v.idpSecret, v.idpIssuer, v.idpAudience, v.idpClientId].some((one) => one !== undefined)
  const say = (path: string, reason: string): never => { throw new Refusal('invalid', 'The configuration cannot be used.', { faults: [{ path, reason }] }) }
  if (v.idpTokenUrl === undefined) return others ? say('LOADSTONE_VTN_IDP_TOKEN_URL', 'is missing: clients are told there where their tokens come from') : undefined
  if ((v.idpJwksUrl === undefined) === (v.idpSecret === undefined)) say('LOADSTONE_VTN_IDP_JWKS_URL', 'or LOADSTONE_VTN_IDP_HS256_SECRET is needed, one of them')
  if (v.idpSecret !== undefined && Buffer.byteLength(v.idpSecret) < 32) say('LOADSTONE_VTN_IDP_HS256_SECRET', 'needs 32 bytes or more')
  return defined({ tokenURL: v.idpTokenUrl, jwksUrl: v.idpJwksUrl, hs256Secret: v.idpSecret, issuer: v.idpIssuer, audience: v.idpAudience, clientIdClaims: v.idpClientId }) as ExternalIdp
}

const defined = (members: object): object => Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined))
