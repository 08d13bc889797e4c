import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Clients } from '#vtn/client.js'
import type { VtnConfig } from '#vtn/config.js'
import { DoorRefusal } from '#vtn/error-map.js'
import type { Secrets } from '#vtn/secret.js'
import type { Scope } from '#vtn/scope.js'
import type { Tokens } from '#vtn/token.js'
import type { ClientCredentialRequest, ClientCredentialResponse } from '#vtn/wire/token.js'

type Form = Readonly<Record<string, string>>

/** RFC 6749 §5.2 error and Problem in one body, which satisfies 3.1.1 and 3.0.1 alike (OA-025). */
const refuse = (error: string, description: string, status = 400): DoorRefusal => new DoorRefusal(
  status, description, { 'cache-control': 'no-store', ...(status === 401 ? { 'www-authenticate': 'Basic realm="loadstone"' } : {}) },
  { error, error_description: description },
)

function readForm(text: string): Form {
  const out: Record<string, string> = {}
  for (const [name, value] of new URLSearchParams(text)) {
    if (Object.hasOwn(out, name)) throw refuse('invalid_request', `${name} is given twice`)
    Object.defineProperty(out, name, { value, enumerable: true })
  }
  return out
}

/** OA-023: form fields or HTTP Basic, not both. */
function credentials(form: Form, authorization: string | undefined): { id: string; secret: string } {
  const [, basic] = /^basic +(\S+)$/i.exec(authorization ?? '') ?? []
  if (basic === undefined) return { id: form['client_id'] ?? '', secret: form['client_secret'] ?? '' }
  if (form['client_secret'] !== undefined) throw refuse('invalid_request', 'credentials are given twice')
  const text = Buffer.from(basic, 'base64').toString('utf8'), at = text.indexOf(':')
  const part = (t: string): string => { try { return decodeURIComponent(t.replaceAll('+', ' ')) } catch { return t } }
  const id = part(text.slice(0, Math.max(0, at)))
  if (form['client_id'] !== undefined && form['client_id'] !== id) throw refuse('invalid_request', 'client_id is given twice')
  return { id, secret: part(text.slice(at + 1)) }
}

const length = (text: string): boolean => text.length >= 1 && text.length <= 4096

export interface TokenNeeds {
  readonly clients: Clients
  readonly secrets: Secrets
  readonly tokens: Tokens
  readonly config: VtnConfig
}

/** One token answer, or an RFC 6749 refusal; shared with nobody, called by the endpoint alone. */
async function grant(needs: TokenNeeds, form: Form, authorization: string | undefined, wrongClient: number, old: boolean): Promise<ClientCredentialResponse> {
  const { clients, secrets, tokens } = needs
  if (form['grant_type'] === undefined) throw refuse('invalid_request', 'grant_type is required')
  if (form['grant_type'] !== ('client_credentials' satisfies ClientCredentialRequest['grant_type'])) throw refuse('unsupported_grant_type', 'only client_credentials is offered')
  const { id, secret } = credentials(form, authorization)
  if (!length(id) || !length(secret)) throw refuse('invalid_request', 'client_id and client_secret are required, 1 … 4096 characters')
  if ((form['scope'] ?? '').length > 4096) throw refuse('invalid_request', 'scope is too long')
  const client = await clients.find(id)
  // OA-026: an unknown client costs the same comparison as a wrong secret.
  if (!secrets.matches(secret, client?.secretHash) || !client) throw refuse('invalid_client', 'unknown client or wrong secret', wrongClient)
  const asked = (form['scope'] ?? '').split(' ').filter(Boolean)
  // OA-240: on 3.0.1 VENs read under read_all, which here means what a VEN may read.
  if (old && client.role === 'VEN' && asked.includes('read_all')) asked.splice(asked.indexOf('read_all'), 1, 'read_targets', 'read_ven_objects')
  const strange = asked.find((s) => !client.scopes.has(s as Scope))
  if (strange !== undefined) throw refuse('invalid_scope', `this client does not have the scope ${/^[\w.:-]{1,64}$/.test(strange) ? strange : 'that was asked for'}, only ${[...client.scopes].join(' ')}`)
  const scopes = asked.length ? asked as Scope[] : [...client.scopes]
  const { token, expiresIn } = await tokens.issue(client, scopes)
  return { access_token: token, token_type: 'Bearer', expires_in: expiresIn, scope: scopes.join(' ') }
}

/** `/auth/server` and `/auth/token` under one base (OA-021 … 026); forms are read here and nowhere else. */
export function tokenRoutes(app: FastifyInstance, base: string, needs: TokenNeeds, surface: { authServer: boolean; wrongClient: 401 | 403 }): void {
  const { config } = needs
  const external = config.auth?.externalIdp
  void app.register(async (scoped) => {
    scoped.removeContentTypeParser('application/json')
    scoped.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string', bodyLimit: 16_384 }, (_request, body, done) => {
      try { done(null, readForm(body as string)) } catch (error) { done(error as Error, undefined) }
    })
    const allowPost = { config: { allow: 'POST' }, handler: () => undefined }
    for (const url of [`${base}/auth/token`, `${base}/auth/token/`]) {
      scoped.post(url, async (request: FastifyRequest, reply: FastifyReply) => {
        if (external) throw new DoorRefusal(501, `tokens are issued elsewhere; see ${base}/auth/server`)
        // SEC-011, SEC-012: nothing secret in an address.
        if (request.url.includes('?')) throw refuse('invalid_request', 'parameters belong in the body')
        const body = request.body as Form | undefined
        const answer = await grant(needs, body ?? {}, request.headers.authorization, surface.wrongClient, !surface.authServer)
        return reply.headers({ 'cache-control': 'no-store', pragma: 'no-cache' }).send(answer)
      })
      scoped.route({ method: ['GET', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE'], url, ...allowPost })
    }
    if (!surface.authServer) return
    scoped.get(`${base}/auth/server`, (request, reply) => {
      const origin = config.publicUrl ?? `${request.protocol}://${request.host}`
      return reply.send({ tokenURL: external?.tokenURL ?? `${origin}${base}/auth/token` })
    })
    scoped.route({ method: ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE'], url: `${base}/auth/server`, config: { allow: 'GET, HEAD' }, handler: () => undefined })
  })
}
