import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import { Refusal } from '#core/error.js'
import { DoorRefusal } from '#vtn/error-map.js'
import type { Identity, VtnCaller } from '#vtn/identity.js'
import type { TopicAccess } from '#vtn/mqtt/access.js'

const least = 32
const sha256 = (text: string): Buffer => createHash('sha256').update(text, 'utf8').digest()

/**
 * The secret that a broker shows us: as it is, of at least 32 characters, or as `sha256:` and the hash of it in hex, so that the configuration
 * holds nothing to be stolen. A machine makes it, so a fast hash is enough, and a wrong guess costs us nothing.
 * @throws Refusal 'invalid' for one that could be guessed.
 */
export function callbackSecret(configured: string): (given: string) => boolean {
  const [, hex] = /^sha256:([0-9a-f]{64})$/i.exec(configured) ?? []
  if (hex === undefined && (configured.length < least || configured.startsWith('sha256:'))) throw new Refusal('invalid', `the secret of the broker's callbacks has at least ${least} characters, or is sha256: and 64 hex digits`)
  const wanted = hex === undefined ? sha256(configured) : Buffer.from(hex, 'hex')
  return (given) => timingSafeEqual(sha256(given), wanted)
}

/** What a broker showed: a Bearer token, or the password of HTTP Basic for plugins that can set no header but take `user:password@host`. */
function shownBy(authorization: string | undefined): string {
  const [, scheme = '', text = ''] = /^(bearer|basic) +(\S+)$/i.exec(authorization ?? '') ?? []
  if (scheme.toLowerCase() !== 'basic') return text
  const pair = Buffer.from(text, 'base64').toString('utf8'), at = pair.indexOf(':')
  return at < 0 ? '' : pair.slice(at + 1)
}

/** Mosquitto's words for what a client wants of a topic. */
const read = 1, subscribe = 4

/**
 * OA-141: `POST /mqtt/auth {username, password}` and `POST /mqtt/acl {username, topic, acc}` for the HTTP plugin of another broker, which shows
 * its secret; 200 = yes, 403 = no, 401 = not our broker. Reading and subscribing (acc 1, 4) by the same access code as REST; anything else is
 * the publisher's alone. The name that we publish under is a login of the broker's own: no token opens it, or a client that happens to be
 * called so would write.
 */
export function brokerCallbacks(app: FastifyInstance, needs: { secret: (given: string) => boolean; identity: Identity; access: TopicAccess; publisher: string | undefined; byClient: (clientID: string) => Promise<VtnCaller | undefined> }): void {
  const yes = { ok: true, result: 'allow' }, no = { ok: false, result: 'deny' }
  const preParsing = async (request: { headers: { authorization?: string | undefined } }): Promise<void> => {
    if (!needs.secret(shownBy(request.headers.authorization))) throw new DoorRefusal(401, 'only the configured broker may ask here', { 'www-authenticate': 'Bearer realm="loadstone mqtt"' })
  }
  app.post('/mqtt/auth', { preParsing }, async (request, reply) => {
    const { username, password } = (request.body ?? {}) as { username?: unknown; password?: unknown }
    const caller = await Promise.resolve().then(() => needs.identity.ofToken(String(password ?? ''))).catch(() => undefined)
    return caller && caller.subject === username && username !== needs.publisher ? yes : reply.code(403).send(no)
  })
  app.post('/mqtt/acl', { preParsing }, async (request, reply) => {
    const { username, topic, acc } = (request.body ?? {}) as { username?: unknown; topic?: unknown; acc?: unknown }
    if (typeof username !== 'string' || typeof topic !== 'string') return reply.code(403).send(no)
    if (needs.publisher !== undefined && username === needs.publisher) return yes
    if (Number(acc) !== read && Number(acc) !== subscribe) return reply.code(403).send(no)
    const caller = await needs.byClient(username)
    return caller !== undefined && await needs.access.maySubscribe(caller, topic) ? yes : reply.code(403).send(no)
  })
}
