import { parseXml, type XmlElement } from '#core/describe/xml.js'

/** One element of JUnit XML as the schema describes it that Jenkins publishes (junit-10.xsd of its xUnit plugin), in our own words: children and attributes it may have, attributes it must have. */
interface Rule { readonly children: readonly string[]; readonly must: readonly string[]; readonly may: readonly string[]; readonly text?: boolean }

const outputs = ['system-out', 'system-err'], numbers = ['tests', 'failures', 'errors', 'skipped']
const outcome: Rule = { children: [], must: [], may: ['message', 'type'], text: true }, output: Rule = { children: [], must: [], may: [], text: true }
const rules: Readonly<Record<string, Rule>> = {
  'testsuites': { children: ['testsuite'], must: [], may: ['name', 'time', 'tests', 'failures', 'errors'] },
  'testsuite': { children: ['properties', 'testcase', ...outputs], must: ['name', 'tests', 'failures', 'errors'], may: ['skipped', 'time', 'timestamp', 'hostname', 'id', 'package', 'file', 'log', 'url', 'group'] },
  'properties': { children: ['property'], must: [], may: [] },
  'property': { children: [], must: ['name', 'value'], may: [] },
  'testcase': { children: ['skipped', 'error', 'failure', ...outputs], must: ['name'], may: ['classname', 'time', 'group'] },
  'failure': outcome, 'error': outcome, 'skipped': outcome, 'system-out': output, 'system-err': output,
}

/** What breaks the rules; empty when all is well. The schema itself is not in this repository, so these are its rules told again, and no laxer: what the file itself leaves to any text (counts, times) has a form here. */
export function junitFaults(text: string): string[] {
  let root: XmlElement
  try { root = parseXml(text, { maxElements: 1_000_000 }) } catch (error) { return [`not XML: ${(error as Error).message}`] }
  if (root.name !== 'testsuites' && root.name !== 'testsuite') return [`the root is ${root.name}, not testsuites`]
  return [...faultsOf(root), ...suites(root).flatMap(countFaults)]
}

const suites = (root: XmlElement): readonly XmlElement[] => root.name === 'testsuite' ? [root] : root.children.filter((c) => c.name === 'testsuite')

function faultsOf(element: XmlElement): string[] {
  const rule = rules[element.name]
  if (!rule) return [`there is no element ${element.name}`]
  const names = Object.keys(element.attributes)
  return [
    ...rule.must.filter((name) => !names.includes(name)).map((name) => `${element.name} lacks ${name}`),
    ...names.filter((name) => !rule.must.includes(name) && !rule.may.includes(name)).map((name) => `${element.name} has no attribute ${name}`),
    ...names.filter((name) => (numbers.includes(name) && !/^\d+$/.test(valueOf(element, name))) || (name === 'time' && !/^\d+(\.\d+)?$/.test(valueOf(element, name))) || (name === 'timestamp' && !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/.test(valueOf(element, name)))).map((name) => `${element.name} has a bad ${name}`),
    ...(rule.text || !element.text.trim() ? [] : [`${element.name} has text`]),
    ...element.children.filter((c) => !rule.children.includes(c.name)).map((c) => `${element.name} may not hold ${c.name}`),
    ...element.children.flatMap(faultsOf),
  ]
}

const valueOf = (element: XmlElement, name: string): string => (element.attributes as Readonly<Record<string, { value: string }>>)[name]?.value ?? ''

function countFaults(suite: XmlElement): string[] {
  const cases = suite.children.filter((c) => c.name === 'testcase')
  const having = (name: string): number => cases.filter((c) => c.children.some((x) => x.name === name)).length
  const counts: Readonly<Record<string, number>> = { tests: cases.length, failures: having('failure'), errors: having('error'), skipped: having('skipped') }
  return Object.entries(counts).filter(([name, n]) => suite.attributes[name] !== undefined && Number(valueOf(suite, name)) !== n).map(([name, n]) => `${name} says ${valueOf(suite, name)}, there are ${n}`)
}
