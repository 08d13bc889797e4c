import type { Action, RunContext } from '#conformance/runner.js'
import type { TlsIdentity } from '#conformance/driver/http.js'
import { bearerOf } from '#conformance/driver/vtn.js'
import { at, mismatch } from '#conformance/match.js'
import type { Matcher } from '#conformance/procedure.js'

type Client = import('mqtt').MqttClient
interface Session { readonly client: Client; readonly got: { topic: string; body: unknown; retain: boolean }[]; readonly waiting: (() => void)[] }
const sessions = new WeakMap<RunContext, Map<string, Session>>()

function sessionOf(args: Readonly<Record<string, unknown>>, context: RunContext): Session {
  const found = sessions.get(context)?.get(String(args.as))
  if (!found) throw new Error(`no MQTT session '${String(args.as)}' stands in this procedure`)
  return found
}

/** `mqtt.connect {as, url, username?, wrongPassword?}` → `{connected, error?}`; the password is the client's own token. */
export const connect: Action = async (args, context) => {
  const { connect: open } = await import('mqtt')
  const identity = (context.target.values['identities'] as Record<string, TlsIdentity> | undefined)?.['default'] ?? {}
  const as = String(args.as)
  const client = open(String(args.url), {
    username: String(args.username ?? context.target.values[`${as}_id`]), password: args.wrongPassword ? 'wrong' : await bearerOf(as, context),
    ...(identity.ca ? { ca: identity.ca } : {}), reconnectPeriod: 0, connectTimeout: 8000,
  })
  context.onEnd(() => { client.end(true) })
  const session: Session = { client, got: [], waiting: [] }
  client.on('message', (topic, payload, packet) => {
    let body: unknown
    try { body = JSON.parse(payload.toString()) } catch { body = payload.toString() }
    session.got.push({ topic, body, retain: packet.retain })
    for (const wake of session.waiting.splice(0)) wake()
  })
  return new Promise((resolve) => {
    client.on('connect', () => {
      const known = sessions.get(context) ?? new Map<string, Session>()
      sessions.set(context, known.set(as, session))
      resolve({ connected: true })
    })
    client.on('error', (error) => resolve({ connected: false, error: error.message }))
    client.on('close', () => resolve({ connected: false, error: 'closed' }))
  })
}

/** `mqtt.subscribe {as, topic}` → `{granted}`: false when the broker refuses it or closes. */
export const subscribe: Action = async (args, context) => {
  const { client } = sessionOf(args, context)
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve({ granted: false, error: 'time-out' }), 5000)
    client.once('close', () => { clearTimeout(timer); resolve({ granted: false, error: 'closed' }) })
    client.subscribe(String(args.topic), { qos: 1 }, (error, granted) => { clearTimeout(timer); resolve({ granted: !error && (granted ?? []).every((g) => g.qos < 128), ...(error ? { error: error.message } : {}) }) })
  })
}

/** `mqtt.publish {as, topic, json}`. */
export const publish: Action = async (args, context) => {
  const { client } = sessionOf(args, context)
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve({ acknowledged: false }), 2000)
    client.once('close', () => { clearTimeout(timer); resolve({ acknowledged: false, closed: true }) })
    client.publish(String(args.topic), JSON.stringify(args.json), { qos: 1 }, (error) => { clearTimeout(timer); resolve({ acknowledged: !error }) })
  })
}

/** `mqtt.expect {as, where?, timeout_ms?}` → `{arrived, topic, body, retain}`. */
export const expect: Action = async (args, context) => {
  const session = sessionOf(args, context)
  const deadline = performance.now() + Number(args.timeout_ms ?? 5000)
  const where = Object.entries((args.where as Record<string, Matcher> | undefined) ?? {})
  for (;;) {
    const index = session.got.findIndex((one) => where.every(([path, wanted]) => mismatch(at(one, path), wanted) === undefined))
    if (index >= 0) return { arrived: true, ...session.got.splice(index, 1)[0] }
    const left = deadline - performance.now()
    if (left <= 0) return { arrived: false, others: session.got }
    await new Promise<void>((wake) => { const timer = setTimeout(wake, left); session.waiting.push(() => { clearTimeout(timer); wake() }) })
  }
}

/** `mqtt.apart {sets: [{CREATE?, UPDATE, DELETE, ALL}]}` → `{sets, caught}`: filters of one set that would catch a topic of another (OA-137). */
export const apart: Action = async (args) => {
  const sets = args.sets as Record<string, string>[]
  const caught = sets.flatMap((mine, i) => sets.flatMap((theirs, j) => i === j ? [] : ['CREATE', 'UPDATE', 'DELETE'].flatMap((op) => {
    const topic = theirs[op]
    return topic !== undefined && mine['ALL'] !== undefined && catches(mine['ALL'], topic) ? [`${mine['ALL']} catches ${topic}`] : []
  })))
  return { sets: sets.length, caught }
}

/** MQTT 3.1.1 §4.7: `+` is one level, `#` all that follow. */
function catches(filter: string, topic: string): boolean {
  const wanted = filter.split('/'), levels = topic.split('/')
  return wanted.every((w, i) => w === '#' || (levels[i] !== undefined && (w === '+' || w === levels[i]))) && (wanted.at(-1) === '#' || wanted.length === levels.length)
}
