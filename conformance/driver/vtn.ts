import type { Action, Outcome, RunContext, Target } from '#conformance/runner.js'
import { httpRequest } from '#conformance/driver/http.js'

/** Tokens by client, kept for the whole run: a token request for each step would test the token door and nothing else. */
const tokens = new WeakMap<Target, Map<string, string>>()

/** `vtn.token {as}` → `{status, token}`: client credentials of `as` (values `<as>_id`, `<as>_secret`), as OA-020 asks. */
export const token: Action = async (args, context) => {
  const who = String(args.as)
  const known = tokens.get(context.target) ?? new Map<string, string>()
  tokens.set(context.target, known)
  const have = known.get(who)
  if (have !== undefined) return { status: 200, token: have }
  const { values } = context.target
  const given = values[`${who}_token`]
  if (typeof given === 'string') return { status: 200, token: given }
  const answer = await httpRequest({
    method: 'POST', ...(values['tokenUrl'] === undefined ? { path: '/auth/token' } : { url: values['tokenUrl'] }),
    form: { grant_type: 'client_credentials', client_id: values[`${who}_id`], client_secret: values[`${who}_secret`], ...(values[`${who}_scope`] === undefined ? {} : { scope: values[`${who}_scope`] }) },
  }, context)
  const made = (answer.body as { access_token?: string } | undefined)?.access_token
  if (!made) throw new Error(`no token for client '${who}': ${answer.status as number} ${String(answer.text ?? answer.error).slice(0, 200)}`)
  known.set(who, made)
  return { status: 200, token: made }
}

/**
 * `vtn.request {as: 'bl'|'ven'|'ven2'|'nobody', method, path, query?, json?, …}` → as http.request. `query` values may be lists (repeated
 * parameters). What a POST made is deleted when the procedure ends, newest first, so that nothing is left on the target.
 */
export const vtnRequest: Action = async (args, context) => {
  const as = String(args.as ?? 'nobody')
  const authorization = as === 'nobody' ? {} : { authorization: `Bearer ${(await token({ as }, context)).token as string}` }
  const outcome = await httpRequest({ ...args, as: 'default', path: `${String(args.path)}${queryOf(args.query)}`, headers: { ...authorization, ...(args.headers as object | undefined) } }, context)
  const id = (outcome.body as { id?: string } | undefined)?.id
  if (args.method === 'POST' && outcome.status === 201 && id && args.keep !== true) {
    context.onEnd(async () => { await httpRequest({ method: 'DELETE', path: `${String(args.path)}/${id}`, headers: authorization }, context) })
  }
  return outcome
}

function queryOf(query: unknown): string {
  if (typeof query !== 'object' || query === null) return ''
  const pairs = Object.entries(query).flatMap(([k, v]) => (Array.isArray(v) ? v : [v]).map((one) => `${encodeURIComponent(k)}=${encodeURIComponent(String(one)).replaceAll('%2C', ',')}`))
  return pairs.length ? `?${pairs.join('&')}` : ''
}

/** `vtn.walk {as, path, query?, page}`: follows a list with skip and limit to its end → `{ids, pages, statuses}`. */
export const walk: Action = async (args, context) => {
  const ids: string[] = [], statuses: number[] = [], page = Number(args.page)
  for (let skip = 0; skip < 2000; skip += page) {
    const answer = await vtnRequest({ as: args.as, method: 'GET', path: args.path, query: { ...(args.query as object | undefined), skip, limit: page } }, context)
    statuses.push(answer.status as number)
    const rows = answer.body
    if (!Array.isArray(rows)) break
    ids.push(...rows.map((r) => String((r as { id: unknown }).id)))
    if (rows.length < page) break
  }
  return { ids, pages: statuses.length, statuses, allOk: statuses.every((s) => s === 200) }
}

/** `vtn.noVens {}`: takes away the ven objects of our own two VEN clients, so that a procedure begins where it says. */
export const noVens: Action = async (_args, context): Promise<Outcome> => {
  const list = await vtnRequest({ as: 'bl', method: 'GET', path: '/vens' }, context)
  const ours = [context.target.values['ven_id'], context.target.values['ven2_id']]
  const rows = (Array.isArray(list.body) ? list.body : []) as { id: string; clientID?: string }[]
  const mine = rows.filter((r) => ours.includes(r.clientID))
  for (const row of mine) await vtnRequest({ as: 'bl', method: 'DELETE', path: `/vens/${row.id}` }, context)
  return { status: list.status, removed: mine.length }
}

export const bearerOf = async (as: string, context: RunContext): Promise<string> => (await token({ as }, context)).token as string
