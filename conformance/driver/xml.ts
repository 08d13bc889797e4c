import { parseXml, type XmlElement } from '#core/describe/xml.js'
import { at } from '#conformance/match.js'
import type { Action, Outcome } from '#conformance/runner.js'
import { httpRequest } from '#conformance/driver/http.js'
import type { SchemaCheck } from '#conformance/driver/schema.js'

/**
 * `xml.request`: like http.request with an XML answer → also `{root, namespace, xml, order}`. `xml` is the document as plain values:
 * text leaves are strings, attributes start with `@`, every child is a list under its name; `order` names the root's children as they came. What a POST made is
 * deleted when the procedure ends, unless `keep`.
 */
export const xmlRequest: Action = async (args, context): Promise<Outcome> => {
  const headers = { accept: 'application/sep+xml', ...(args.text === undefined ? {} : { 'content-type': 'application/sep+xml' }), ...(args.headers as object | undefined) }
  const outcome = await httpRequest({ method: 'GET', ...args, headers }, context)
  const made = (outcome.headers as { location?: string } | undefined)?.location
  if (args.method === 'POST' && args.keep !== true && made && (outcome.status === 201 || outcome.status === 204)) {
    context.onEnd(async () => { await httpRequest({ method: 'DELETE', path: made, as: args.as }, context) })
  }
  if (typeof outcome.text !== 'string' || !outcome.text.trim().startsWith('<')) return outcome
  try {
    const root = parseXml(outcome.text)
    const check = context.target.values['schema'] as SchemaCheck | undefined
    return { ...outcome, ...(check && root.uri === check.namespace ? { schemaFaults: check.faults(outcome.text) } : {}), root: root.name, namespace: root.uri, xml: plain(root), order: root.children.map((c) => c.name) }
  } catch (error) {
    return { ...outcome, malformed: (error as Error).message }
  }
}

export function plain(element: XmlElement): unknown {
  const attributes = Object.entries(element.attributes).map(([name, a]) => [`@${name}`, a.value] as const)
  if (!element.children.length && !attributes.length) return element.text
  const out: Record<string, unknown> = Object.fromEntries(attributes)
  if (!element.children.length && element.text.trim()) out['#text'] = element.text
  for (const child of element.children) ((out[child.name] ??= []) as unknown[]).push(plain(child))
  return out
}

/** `xml.walk {as, path, member, page}`: follows a list with `s` and `l` to its end → `{hrefs, alls, results, pages}`. */
export const xmlWalk: Action = async (args, context): Promise<Outcome> => {
  const hrefs: string[] = [], alls: string[] = [], results: string[] = [], page = Number(args.page)
  for (let s = 0; s < 1000; s += page) {
    const answer = await xmlRequest({ as: args.as, method: 'GET', path: `${String(args.path)}?s=${s}&l=${page}` }, context)
    const list = answer.xml as Record<string, unknown> | undefined
    if (answer.status !== 200 || typeof list !== 'object') return { status: answer.status, hrefs, alls, results }
    alls.push(String(list['@all'])); results.push(String(list['@results']))
    const members = (list[String(args.member)] ?? []) as Record<string, unknown>[]
    hrefs.push(...members.map((m) => String(m['@href'])))
    if (members.length < page) break
  }
  return { status: 200, hrefs, alls, results, pages: alls.length, count: hrefs.length, all: Number(alls[0]) }
}

/** `xml.member {as, path, member, where: {path: text}}`: the one member of a list that has these values, however they spell their letters → `{status, list, found, it}`, both as plain values. */
export const xmlMember: Action = async (args, context): Promise<Outcome> => {
  const answer = await xmlRequest({ as: args.as, method: 'GET', path: `${String(args.path)}?l=255` }, context)
  const members = ((answer.xml as Record<string, unknown> | undefined)?.[String(args.member)] ?? []) as Record<string, unknown[]>[]
  const it = members.find((one) => Object.entries(args.where as Record<string, unknown>).every(([path, text]) => String(at(one, path)).toUpperCase() === String(text).toUpperCase()))
  return { status: answer.status, list: answer.xml, found: it !== undefined, it }
}
