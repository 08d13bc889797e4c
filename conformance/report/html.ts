import type { Report, Result } from '#conformance/procedure.js'

const escape = (s: string): string => s.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;')

/** One file that needs nothing else: sums, a table, and each exchange to open. */
export function html(report: Report): string {
  const sums = Object.entries(report.summary).map(([v, n]) => `<li class="${slug(v)}"><b>${n}</b> ${v}</li>`).join('')
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Conformance ${escape(report.subject)} ${escape(report.profile)}</title>
<style>
:root{color-scheme:light dark}body{font:15px/1.45 system-ui,sans-serif;max-width:75rem;margin:2rem auto;padding:0 1rem}
ul.sums{display:flex;gap:1rem;list-style:none;padding:0;flex-wrap:wrap}table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.35rem .6rem;border-bottom:1px solid #8884}
.failed,.error{color:#c0262d;font-weight:600}.passed{color:#187a3c}.warning,.partial{color:#9a6200}pre{white-space:pre-wrap;overflow-wrap:anywhere;font-size:12px}
</style></head><body>
<h1>Conformance: ${escape(report.subject)} ${escape(report.profile)}</h1>
<p>${escape(report.target)} · seed ${report.seed} · ${escape(report.startedAt)}</p><ul class="sums">${sums}</ul>
<table><thead><tr><th>Verdict</th><th>Procedure</th><th>What happened</th><th>Clause</th></tr></thead><tbody>
${report.results.map(row).join('\n')}
</tbody></table></body></html>
`
}

const slug = (v: string): string => v.toLowerCase().replace(/ /g, '-')

function row(r: Result): string {
  const exchanges = r.exchanges.map((e) => `${e.step}\n→ ${JSON.stringify(e.sent)}\n← ${JSON.stringify(e.got)}`).join('\n\n')
  return `<tr><td class="${slug(r.verdict)}">${r.verdict}</td><td><b>${escape(r.id)}</b> ${escape(r.title)}</td><td>${escape(r.detail)}${exchanges ? `<details><summary>${r.exchanges.length} exchanges</summary><pre>${escape(exchanges)}</pre></details>` : ''}</td><td>${escape(r.clause)}</td></tr>`
}
