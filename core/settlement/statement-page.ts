import type { Statement } from '#core/settlement/settlement-run.js'

/** What the page needs besides the statement: names for ids, and each event's kW. */
export interface StatementFacts {
  readonly program: string
  readonly servicePoint: string
  readonly zone: string
  readonly aggregator: string
  readonly charts: readonly { readonly dispatch: string; readonly intervals: readonly { readonly start: number; readonly end: number; readonly delivered_kW: number }[] }[]
  readonly disputes: readonly { readonly id: string; readonly line: string | null; readonly state: string }[]
}

interface Line { readonly dispatch: string; readonly start?: number | null; readonly end?: number | null; readonly paid_kWh: number; readonly own_kWh: number | null; readonly baseline_kWh?: number | null; readonly metered_kWh?: number | null; readonly amount: string; readonly status?: string; readonly days?: readonly string[]; readonly flags?: readonly string[] }
interface Body { readonly period: { readonly from: number; readonly to: number }; readonly runNumber: number; readonly supersedes: string | null; readonly share: string; readonly method: string; readonly level: string; readonly price: string | null; readonly lines: readonly Line[]; readonly dispute: { readonly until: number; readonly how: string } }

const text = (value: unknown): string => String(value ?? '').replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`)
const kWh = (v: number | null | undefined): string => (v === null || v === undefined ? '–' : `${v.toFixed(3)} kWh`)

function local(seconds: number, zone: string): string {
  return new Intl.DateTimeFormat('en-CA', { timeZone: zone, year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', hourCycle: 'h23', timeZoneName: 'short' }).format(new Date(seconds * 1000))
}

const width = 640, height = 200, left = 60, bottom = 30, top = 10

/** Bars of delivered kW by interval, with a zero line and both ends of the scale; attributes only, so the strictest content policy shows it (SEC-066). */
export function deliveryChart(intervals: readonly { readonly start: number; readonly end: number; readonly delivered_kW: number }[], zone: string): string {
  const first = intervals[0], last = intervals.at(-1)
  if (!first || !last) return ''
  const high = Math.max(0, ...intervals.map((i) => i.delivered_kW)), low = Math.min(0, ...intervals.map((i) => i.delivered_kW)), size = high - low || 1
  const y = (kW: number): number => top + ((high - kW) / size) * (height - top - bottom), x = (at: number): number => left + ((at - first.start) / (last.end - first.start)) * (width - left - 10)
  const bars = intervals.map((i) => `<rect x="${x(i.start).toFixed(1)}" y="${y(Math.max(0, i.delivered_kW)).toFixed(1)}" width="${Math.max(0.5, x(i.end) - x(i.start) - 1).toFixed(1)}" height="${Math.max(0.5, Math.abs(y(i.delivered_kW) - y(0))).toFixed(1)}" fill="${i.delivered_kW < 0 ? '#b3261e' : '#1b6e3c'}"><title>${text(local(i.start, zone))}: ${i.delivered_kW.toFixed(3)} kW</title></rect>`)
  const label = (px: number, py: number, words: string, anchor: string): string => `<text x="${px}" y="${py.toFixed(1)}" font-size="11" font-family="sans-serif" text-anchor="${anchor}" fill="#333">${text(words)}</text>`
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="Delivered power by interval">`
    + `${bars.join('')}<line x1="${left}" x2="${width - 10}" y1="${y(0).toFixed(1)}" y2="${y(0).toFixed(1)}" stroke="#333"/>${label(left - 6, y(high) + 4, `${high.toFixed(2)} kW`, 'end')}${label(left - 6, y(low) + 4, low < 0 ? `${low.toFixed(2)} kW` : '0', 'end')}`
    + `${label(left, height - 8, local(first.start, zone), 'start')}${label(width - 10, height - 8, local(last.end, zone), 'end')}</svg>`
}

/** CORE-191, UX-064: the statement for people, made to be printed; every number of the JSON form, no script, no style, nothing from elsewhere. */
export function statementPage(s: Statement, f: StatementFacts): string {
  const b = s.body as Body, row = (name: string, value: string): string => `<tr><th align="left">${text(name)}</th><td>${value}</td></tr>`
  const lines = b.lines.map((l) => `<tr><td>${l.start && l.end ? `${text(local(l.start, f.zone))} – ${text(local(l.end, f.zone))}` : text(l.dispatch)}</td><td align="right">${kWh(l.baseline_kWh)}</td><td align="right">${kWh(l.metered_kWh)}</td><td align="right">${kWh(l.own_kWh)}</td><td align="right">${kWh(l.paid_kWh)}</td><td align="right">${text(l.amount)} ${text(s.currency)}</td><td>${text([l.status, ...(l.flags ?? [])].filter(Boolean).join(', '))}</td></tr>`)
  const charts = f.charts.map((c) => {
    const line = b.lines.find((l) => l.dispatch === c.dispatch)
    return `<h2>Event ${text(c.dispatch)}</h2>${deliveryChart(c.intervals, f.zone)}<p>Days the baseline was made of: ${text((line?.days ?? []).join(', ') || 'none')}.</p>`
  })
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Statement ${text(s.id)}</title></head><body><h1>Settlement statement</h1><table>`
    + row('Statement', text(s.id)) + row('Program', text(f.program)) + row('Service point', text(f.servicePoint)) + row('Period', `${text(local(b.period.from, f.zone))} – ${text(local(b.period.to, f.zone))} (${text(f.zone)})`)
    + row('Settlement run', `${b.runNumber}${b.supersedes === null ? '' : ' (corrects an earlier one)'}`) + row('Baseline method', `${text(b.method)}, at ${text(b.level)} level`) + row('Price', b.price === null ? 'no energy price' : `${text(b.price)} ${text(s.currency)} / kWh`)
    + row('Your share', text(b.share)) + row('Delivered', kWh(s.delivered_Wh / 1000)) + row('Amount', `${text(s.amount)} ${text(s.currency)}`) + row('Change to what was issued before', `${text(s.delta)} ${text(s.currency)}`)
    + `</table><h2>Lines</h2><table border="1" cellpadding="4"><thead><tr><th>Event</th><th>Baseline</th><th>Metered</th><th>Delivered</th><th>Paid for</th><th>Amount</th><th>Notes</th></tr></thead><tbody>${lines.join('')}</tbody></table>`
    + `${charts.join('')}<h2>If you disagree</h2><p>You may dispute this statement or one of its lines until ${text(local(b.dispute.until, f.zone))}: ${text(b.dispute.how)}. The payout of a disputed line waits, the others do not.</p>`
    + `${f.disputes.length === 0 ? '' : `<ul>${f.disputes.map((d) => `<li>Dispute ${text(d.id)} on ${text(d.line ?? 'the whole statement')}: ${text(d.state)}</li>`).join('')}</ul>`}</body></html>`
}
