import { parseXml, type XmlElement } from '#core/describe/xml.js'
import type { Action, Outcome } from '#conformance/runner.js'
import { httpRequest } from '#conformance/driver/http.js'

/**
 * `xml.request`: like http.request with an XML answer → also `{root, namespace, xml, order}`. `xml` is the document as plain values:
 * text leaves are strings, attributes start with `@`, every child is a list under its name; `order` names the root's children as they came.
 */
export const xmlRequest: Action = async (args, context): Promise<Outcome> => {
  const headers = { accept: 'application/sep+xml', ...(args.text === undefined ? {} : { 'content-type': 'application/sep+xml' }), ...(args.headers as object | undefined) }
  const outcome = await httpRequest({ ...args, headers }, context)
  if (typeof outcome.text !== 'string' || !outcome.text.trim().startsWith('<')) return outcome
  try {
    const root = parseXml(outcome.text)
    return { ...outcome, root: root.name, namespace: root.uri, xml: plain(root), order: root.children.map((c) => c.name) }
  } catch (error) {
    return { ...outcome, malformed: (error as Error).message }
  }
}

function plain(element: XmlElement): unknown {
  const attributes = Object.entries(element.attributes).map(([name, a]) => [`@${name}`, a.value] as const)
  if (!element.children.length && !attributes.length) return element.text
  const out: Record<string, unknown> = Object.fromEntries(attributes)
  if (!element.children.length && element.text.trim()) out['#text'] = element.text
  for (const child of element.children) ((out[child.name] ??= []) as unknown[]).push(plain(child))
  return out
}
