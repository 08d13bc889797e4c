import { XMLBuilder } from 'fast-xml-parser'
import type { Report, Result } from '#conformance/procedure.js'
import { lastExchange } from '#conformance/report/plain.js'

/** JUnit XML in the form whose schema Jenkins publishes: FAILED → failure, ERROR → error, NOT APPLICABLE → skipped. A dot of a profile is no package there. */
export function junit(report: Report): string {
  const builder = new XMLBuilder({ ignoreAttributes: false, attributeNamePrefix: '@', format: true, suppressEmptyNode: true })
  const cases = report.results.map((r) => testcase(report, r))
  const seconds = report.results.reduce((sum, r) => sum + r.elapsed_ms, 0) / 1000
  const counts = {
    '@tests': report.results.length, '@failures': report.summary.FAILED, '@errors': report.summary.ERROR,
    '@skipped': report.summary['NOT APPLICABLE'], '@time': seconds.toFixed(3),
  }
  const suite = {
    '@name': `loadstone ${report.subject} ${report.profile}`, ...counts, '@timestamp': report.startedAt.replace(/(\.\d+)?Z$/, ''), '@hostname': hostOf(report.target),
    properties: { property: [{ '@name': 'target', '@value': report.target }, { '@name': 'seed', '@value': String(report.seed) }] },
    testcase: cases,
  }
  return legal(`<?xml version="1.0" encoding="UTF-8"?>\n${builder.build({ testsuites: { '@name': 'loadstone conformance', '@tests': report.results.length, '@failures': report.summary.FAILED, '@errors': report.summary.ERROR, '@time': seconds.toFixed(3), testsuite: suite } })}`)
}

function testcase(report: Report, r: Result): object {
  const out: Record<string, unknown> = { '@name': `${r.id} ${r.title}`, '@classname': `loadstone.${report.subject}.${report.profile.replace(/\./g, '-')}`, '@time': (r.elapsed_ms / 1000).toFixed(3) }
  const words = legal(`${r.detail}\nClause: ${r.clause}\nRequirements: ${r.requirements.join(', ')}${lastExchange(r, 4000).replace(/^(?=.)/, '\n')}`)
  if (r.verdict === 'FAILED') out.failure = { '@message': legal(r.detail).slice(0, 500), '@type': 'FAILED', '#text': words }
  else if (r.verdict === 'ERROR') out.error = { '@message': legal(r.detail).slice(0, 500), '@type': 'ERROR', '#text': words }
  else if (r.verdict === 'NOT APPLICABLE') out.skipped = { '@message': legal(r.detail).slice(0, 500) }
  else if (r.verdict !== 'PASSED') out['system-out'] = `${r.verdict}: ${words}`
  return out
}

const hostOf = (url: string): string => { try { return new URL(url).hostname } catch { return url } }
// eslint-disable-next-line no-control-regex
const legal = (s: string): string => s.replace(/[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]|[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g, '')
