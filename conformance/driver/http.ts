import { Agent, request } from 'undici'
import type { Action, Outcome, RunContext } from '#conformance/runner.js'

/** TLS material by the name that `as` uses: PEM texts from the target's file. */
export interface TlsIdentity { readonly cert?: string; readonly key?: string; readonly ca?: string; readonly ciphers?: string; readonly maxVersion?: string; readonly insecure?: boolean }

const agents = new WeakMap<RunContext, Map<string, Agent>>()

function agentOf(context: RunContext, name: string): Agent {
  const known = agents.get(context) ?? new Map<string, Agent>()
  agents.set(context, known)
  const have = known.get(name)
  if (have) return have
  const tls = (context.target.values.identities as Record<string, TlsIdentity> | undefined)?.[name] ?? {}
  const agent = new Agent({
    connections: 16, keepAliveTimeout: 60_000, headersTimeout: 30_000, bodyTimeout: 30_000,
    connect: {
      timeout: 10_000,
      ...(tls.ca ? { ca: tls.ca } : {}), ...(tls.cert ? { cert: tls.cert } : {}), ...(tls.key ? { key: tls.key } : {}),
      ...(tls.ciphers ? { ciphers: tls.ciphers, minVersion: 'TLSv1.2' as const, maxVersion: 'TLSv1.2' as const } : {}),
      ...(tls.insecure ? { rejectUnauthorized: false } : {}),
    },
  })
  known.set(name, agent)
  context.onEnd(() => agent.destroy())
  return agent
}

/**
 * `http.request {method, path|url, as?, headers?, json?, form?, text?, redirect?}` →
 * `{status, headers, body, text, length}`; a connection that is refused or cut is `{status:0, error}`.
 */
export const httpRequest: Action = async (args, context): Promise<Outcome> => {
  const url = addressOf(args, context)
  const { body, type } = payload(args)
  const begun = performance.now()
  try {
    const answer = await request(url, {
      method: String(args.method ?? 'GET') as 'GET',
      dispatcher: agentOf(context, String(args.as ?? 'default')),
      headers: { ...(type ? { 'content-type': type } : {}), ...(args.headers as Record<string, string> | undefined) },
      ...(body === undefined ? {} : { body }),
    })
    const raw = { status: answer.statusCode, headers: answer.headers, text: await answer.body.text() }
    const { status, headers, text } = { ...raw, ...context.tamper?.http?.(raw, { ...args, url }) }
    return { status, headers, text, body: parse(text), length: Buffer.byteLength(text), elapsed_ms: Math.round(performance.now() - begun) }
  } catch (error) {
    const refusal = { status: 0, headers: {}, text: '' }
    const changed = context.tamper?.http?.(refusal, { ...args, url })
    return changed ? { ...refusal, ...changed } : { status: 0, error: (error as NodeJS.ErrnoException).code ?? (error as Error).message }
  }
}

/** `url` as it is; an absolute `path` under the target's own. */
function addressOf(args: Readonly<Record<string, unknown>>, context: RunContext): string {
  if (args.url !== undefined) return String(args.url)
  const path = String(args.path ?? '')
  return /^https?:/.test(path) ? path : `${context.target.url.replace(/\/$/, '')}${path}`
}

function payload(args: Readonly<Record<string, unknown>>): { body?: string; type?: string } {
  if (args.json !== undefined) return { body: JSON.stringify(args.json), type: 'application/json' }
  if (args.form !== undefined) return { body: new URLSearchParams(args.form as Record<string, string>).toString(), type: 'application/x-www-form-urlencoded' }
  return args.text === undefined ? {} : { body: String(args.text) }
}

const parse = (text: string): unknown => { try { return JSON.parse(text) } catch { return undefined } }

/** `http.parallel {count, request}`: the same request `count` times at once → `{statuses, answers}`; `${n}` in it is the number. */
export const httpParallel: Action = async (args, context): Promise<Outcome> => {
  const one = args.request as Record<string, unknown>
  const answers = await Promise.all(Array.from({ length: Number(args.count) }, (_, n) =>
    httpRequest(JSON.parse(JSON.stringify(one).replaceAll('#{n}', String(n))) as Record<string, unknown>, context)))
  const counts: Record<string, number> = {}
  for (const a of answers) counts[String(a.status)] = (counts[String(a.status)] ?? 0) + 1
  return { statuses: answers.map((a) => a.status), counts, answers }
}
