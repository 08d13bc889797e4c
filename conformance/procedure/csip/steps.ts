import type { Matcher, Procedure, Step } from '#conformance/procedure.js'

/** Words that make CSIP procedures short. */
export type Expect = Readonly<Record<string, Matcher>>
type More = Partial<Pick<Step, 'save' | 'should' | 'needs' | 'within_ms'>> & { readonly text?: string; readonly headers?: object; readonly keep?: boolean }
export const us = ['csip'], aus = ['csip-aus-1.2', 'csip-aus-1.3'], all = [...us, ...aus]

/** XML Schema lets a server write `3` for `03` and `1` for `true`: element and attribute values are compared by meaning. */
const byMeaning = (expect: Expect): Expect => Object.fromEntries(Object.entries(expect).map(([path, wanted]) => [path, path.startsWith('xml.') && typeof wanted === 'string' ? { lexical: wanted } : wanted]))

const step = (action: string, say: string, args: object, expect: Expect, { save, should, needs, within_ms }: More): Step =>
  ({ say, do: action, with: args as Record<string, unknown>, expect: byMeaning(expect), ...(save ? { save } : {}), ...(should ? { should } : {}), ...(needs ? { needs } : {}), ...(within_ms ? { within_ms } : {}) })

export function ask(as: string, method: string, path: string, expect: Expect, more: More = {}): Step {
  const { text, headers, keep } = more
  return step('xml.request', `${method} ${path} as ${as}`, { as, method, path, ...(text === undefined ? {} : { text }), ...(headers ? { headers } : {}), ...(keep ? { keep } : {}) }, expect, more)
}

/** The member of a list whose mRID this is; `save` looks below `it`. */
export const memberOf = (as: string, path: string, member: string, mRID: string, more: More = {}): Step => memberWith(as, path, member, { 'mRID[0]': mRID }, {}, more)
/** The one with these values, wherever earlier runs have left theirs: `it` of the outcome. */
export const memberWith = (as: string, path: string, member: string, where: Readonly<Record<string, string>>, expect: Expect = {}, more: More = {}): Step =>
  step('xml.member', `the ${member} of ${Object.keys(where).map((name) => name.replace(/\[0\]/g, '')).join(', ')} in ${path}`, { as, path, member, where }, { status: 200, found: true, ...expect }, more)

/** The same resources with an operator's rights: an adapter that the target may declare. */
export const operate = (method: string, path: string, expect: Expect, more: More = {}): Step =>
  step('operator.request', `operator: ${method} ${path}`, { method, path: `/csip${path}`, ...(more.text === undefined ? {} : { text: more.text }), type: 'application/sep+xml' }, expect, more)

export const discover = (as = 'device-1', name = 'it', lfdi?: string): Step => ({ say: `${as} follows the links from DeviceCapability`, do: 'csip.discover', with: { as, ...(lfdi ? { lfdi } : {}) }, save: { [name]: '.' } })

/** That it is this one thing which is refused: the server is up, takes a good leaf of the same issuer, and goes on serving. */
export const serves = (as = 'device-1'): Step => ask(as, 'GET', '${dcap}', { status: 200, root: 'DeviceCapability' })
export const goodLeaf: readonly Step[] = [{ say: 'a good leaf of the same issuer', do: 'pki.leaf', with: { as: 'good', kind: 'good' } }, serves('good')]

/** SEP-032: an Error body with a reasonCode and nothing of our insides. */
export const refused = (status: number | readonly number[], reasonCode?: string): Expect => ({
  status: typeof status === 'number' ? status : { oneOf: status }, root: 'Error', 'xml.reasonCode[0]': reasonCode ?? { matches: '^[0-4]$' }, 'headers.content-type': { matches: '^application/sep\\+xml' },
})
/** 4xx, body or not: where the standard leaves the number open. */
export const clientError: Expect = { status: { all: [{ atLeast: 400 }, { atMost: 499 }] } }

const ns = 'xmlns="urn:ieee:std:2030.5:ns"'
export const doc = (root: string, inner: string, attributes = ''): string => `<?xml version="1.0" encoding="UTF-8"?><${root} ${ns}${attributes ? ` ${attributes}` : ''}>${inner}</${root}>`

/** A DERControl as an operator writes it; times are seconds from now. */
export const control = (word: string, { start = -5, duration = 600, base = '<opModMaxLimW>5000</opModMaxLimW>', responseRequired = '03', created = 0, extra = '' } = {}): string =>
  doc('DERControl', `<mRID>\${mrid:${word}}</mRID><description>${word}</description><creationTime>\${now${created < 0 ? created : `+${created}`}}</creationTime><EventStatus><currentStatus>0</currentStatus><dateTime>\${now}</dateTime><potentiallySuperseded>false</potentiallySuperseded></EventStatus><interval><duration>${duration}</duration><start>\${now${start < 0 ? start : `+${start}`}}</start></interval>${extra}<DERControlBase>${base}</DERControlBase>`, `replyTo="/rsps/derc/rsp" responseRequired="${responseRequired}"`)

/** Writes it into the nearest program of device-1 and keeps its address; it is taken away at the end. */
export const issue = (word: string, options: Parameters<typeof control>[1] = {}, list = '${it.own.DERControlListLink}'): Step =>
  operate('POST', list, { status: 201, 'headers.location': { matches: '^/' } }, { text: control(word, options), save: { [word]: 'headers.location' } })

export const withdraw = (...words: readonly string[]): { after: readonly Step[] } => ({ after: words.map((word) => operate('DELETE', `\${${word}}`, {})) })

export const proc = (profiles: readonly string[], id: string, title: string, requirements: string, clause: string, steps: readonly Step[], more: Partial<Procedure> = {}): Procedure =>
  ({ id, title, requirements: requirements.split(' '), clause, profiles, steps, ...more })
