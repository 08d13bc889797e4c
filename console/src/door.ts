/** How a person comes in and goes out. The session is a cookie that this page cannot read; what it knows is the guard that changes need (SEC-066). */
export interface Ways {
  password: boolean
  passkey: boolean
  /** Host of the identity provider, when there is one. */
  oidc: string | null
}
export interface Entrance {
  signedIn: boolean
  guard?: string
  ways: Ways
}
export type Entry = 'in' | 'refused' | 'locked' | 'unreachable'

let guard = ''
export const guardHeader = (): Record<string, string> => (guard ? { 'x-loadstone-guard': guard } : {})

const told = (): void => void dispatchEvent(new Event('loadstone.session'))

async function send(method: 'GET' | 'POST' | 'DELETE', path: string, body?: unknown): Promise<Response | undefined> {
  const json: Record<string, string> = body === undefined ? {} : { 'content-type': 'application/json' }
  return fetch(`/session${path}`, {
    method,
    cache: 'no-store',
    headers: { ...json, ...guardHeader() },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  }).catch(() => undefined)
}

/** Asked when the page opens and whenever a session has ended. */
export async function entrance(): Promise<Entrance | undefined> {
  const answer = await send('GET', '')
  if (!answer?.ok) return undefined
  const found = (await answer.json()) as Entrance
  guard = found.guard ?? ''
  return found
}

async function entered(answer: Response | undefined): Promise<Entry> {
  if (answer?.status !== 201) return answer === undefined || answer.status >= 500 ? 'unreachable' : answer.status === 429 ? 'locked' : 'refused'
  guard = ((await answer.json()) as { guard: string }).guard
  told()
  return 'in'
}

export const enterWithToken = async (token: string): Promise<Entry> => entered(await send('POST', '/token', { token }))
export const enterWithCode = async (who: { user: string; password: string; code: string }): Promise<Entry> => entered(await send('POST', '', who))

/** The browser asks the person which passkey; a person who thinks again is simply not signed in. */
export async function enterWithPasskey(): Promise<Entry | 'given up'> {
  const asked = await send('POST', '/passkey/options', {})
  if (!asked?.ok) return 'unreachable'
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(await asked.json())
  const found = (await navigator.credentials.get({ publicKey }).catch(() => null)) as PublicKeyCredential | null
  return found ? entered(await send('POST', '/passkey', found.toJSON())) : 'given up'
}

export async function addPasskey(label: string): Promise<boolean> {
  const asked = await send('POST', '/passkeys/options', {})
  if (!asked?.ok) return false
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(await asked.json())
  const made = (await navigator.credentials.create({ publicKey }).catch(() => null)) as PublicKeyCredential | null
  return made !== null && (await send('POST', '/passkeys', { label, response: made.toJSON() }))?.status === 201
}

export interface FirstPerson {
  name: string
  password: string
  totp: string
  otpauth: string
}
/** The one-time secret that the server printed, for the first person (SEC-068). */
export async function setUp(secret: string, name: string): Promise<FirstPerson | undefined> {
  const answer = await send('POST', '/setup', { secret, name })
  return answer?.status === 201 ? ((await answer.json()) as FirstPerson) : undefined
}

export async function leave(): Promise<void> {
  await send('DELETE', '')
  told()
}

export interface MySession {
  id: string
  user: string
  by: string
  agent: string
  createdAt: string
  expiresAt: string | null
  current: boolean
}
export interface MyPasskey {
  id: string
  label: string
  createdAt: string
}

async function listed<T>(path: string): Promise<T> {
  const answer = await send('GET', path)
  if (!answer?.ok) throw new Error(String(answer?.status ?? ''))
  return (await answer.json()) as T
}
export const mySessions = (): Promise<{ items: MySession[] }> => listed('/list')
export const myPasskeys = (): Promise<{ person: boolean; items: MyPasskey[] }> => listed('/passkeys')
export const endSession = async (id: string): Promise<void> => void (await send('DELETE', `/list/${id}`))
export const removePasskey = async (id: string): Promise<void> => void (await send('DELETE', `/passkeys/${encodeURIComponent(id)}`))

/** A session that the server no longer knows: back to signing in. */
export const ended = told
