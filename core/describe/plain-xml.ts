import type { XmlElement } from '#core/describe/xml.js'

interface Limits { readonly maxDepth: number; readonly maxElements: number; readonly maxAttributes: number }

const none = Object.freeze(Object.create(null)) as XmlElement['attributes']
/** Anything but printable ASCII, white space and letters beyond; and the one sequence that text may not hold. */
// eslint-disable-next-line no-control-regex
const odd = /[&\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F-\u009F\uD800-\uDFFF\uFFFE\uFFFF]|]]>/
const declaration = /^<\?xml version="1\.[01]"(?: encoding="(?:UTF-8|utf-8)")?(?: standalone="(?:yes|no)")?\s*\?>/
const isName = /^[A-Za-z_][A-Za-z0-9_.-]*$/
const attributeForm = /\s+([A-Za-z_][A-Za-z0-9_.-]*)="([^"<\t\n\r]*)"/y

/**
 * The plain documents that devices post by the thousand: elements, unprefixed attributes in double quotes, text, one default namespace on
 * the root. Gives undefined for everything else and for everything doubtful; the full parser then reads or refuses it, so this one never refuses.
 */
export function plainXml(text: string, limits: Limits): XmlElement | undefined {
  if (odd.test(text)) return undefined
  let at = 0
  const head = declaration.exec(text)
  if (head) at = head[0].length
  const stack: XmlElement[] = []
  let root: XmlElement | undefined, top: XmlElement | undefined, elements = 0, uri = ''
  for (;;) {
    const open = text.indexOf('<', at)
    if (open < 0) return root && !top && text.slice(at).trim() === '' ? root : undefined
    if (open > at) {
      const between = text.slice(at, open)
      if (top) top.text = top.text === '' ? lines(between) : top.text + lines(between)
      else if (between.trim() !== '') return undefined
    }
    const close = text.indexOf('>', open)
    if (close < 0) return undefined
    const mark = text.charCodeAt(open + 1)
    if (mark === 0x2f) { // </
      if (!top || !(open + 2 + top.name.length === close && text.startsWith(top.name, open + 2)) && text.slice(open + 2, close).trimEnd() !== top.name) return undefined
      stack.pop()
      top = stack[stack.length - 1]
      at = close + 1
      continue
    }
    if (mark === 0x21 || mark === 0x3f || (root && !top)) return undefined // <! or <? or a second root
    const empty = text.charCodeAt(close - 1) === 0x2f, end = empty ? close - 1 : close
    let nameEnd = open + 1
    while (nameEnd < end && text.charCodeAt(nameEnd) > 0x20) nameEnd++
    const name = text.slice(open + 1, nameEnd)
    if (!isName.test(name) || ++elements > limits.maxElements || stack.length >= limits.maxDepth) return undefined
    let attributes = none
    if (nameEnd < end) {
      const read = attributesOf(text, nameEnd, end, limits.maxAttributes)
      if (!read || (read.xmlns !== undefined && root)) return undefined
      if (read.xmlns !== undefined) uri = read.xmlns
      attributes = read.attributes
    }
    const element: XmlElement = { name, uri, attributes, children: [], text: '' }
    if (top) top.children.push(element)
    else root = element
    if (!empty) { stack.push(element); top = element }
    at = close + 1
  }
}

/** Line ends as XML reads them. */
const lines = (text: string): string => text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text

function attributesOf(text: string, from: number, end: number, most: number): { attributes: XmlElement['attributes']; xmlns?: string } | undefined {
  let attributes: XmlElement['attributes'] | undefined, xmlns: string | undefined, count = 0
  attributeForm.lastIndex = from
  for (;;) {
    const at = attributeForm.lastIndex, found = attributeForm.exec(text)
    if (!found || attributeForm.lastIndex > end) return text.slice(at, end).trim() === '' ? { attributes: attributes ?? none, ...(xmlns === undefined ? {} : { xmlns }) } : undefined
    if (++count > most) return undefined
    const [, name = '', value = ''] = found
    if (name === 'xmlns') {
      if (xmlns !== undefined || value !== value.trim()) return undefined // the full parser trims it
      xmlns = value
      continue
    }
    attributes ??= Object.create(null) as XmlElement['attributes']
    if (attributes[name]) return undefined
    attributes[name] = { value, uri: '' }
  }
}
