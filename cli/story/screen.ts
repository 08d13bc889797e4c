import { DateTime } from 'luxon'
import type { StoryDocument } from '#cli/story/document.js'

const number = new Intl.NumberFormat('en-US', { maximumFractionDigits: 1 })
const share = new Intl.NumberFormat('en-US', { style: 'percent', maximumFractionDigits: 1 })

/** The final screen: a table that a utility manager understands, then the chart, then where to look. */
export function finalScreen(doc: StoryDocument, zone: string): string {
  const local = (iso: string): string => DateTime.fromISO(iso, { zone }).toFormat('HH:mm')
  const { byProtocol } = doc.allocation
  const row = (name: string, value: string): string => `  ${name.padEnd(24)}${value}\n`
  return `
  ORDER                   reduce ${number.format(doc.order.power_kW / 1000)} MW, ${DateTime.fromISO(doc.order.start, { zone }).toFormat('ccc d LLL yyyy')}, ${local(doc.order.start)}–${local(doc.order.end)} (${zone})
${row('Split', `OpenADR ${number.format(byProtocol.openadr)} kW · IEEE 2030.5 ${number.format(byProtocol.ieee2030_5)} kW · OCPP ${number.format(byProtocol.ocpp)} kW${doc.allocation.shortfall_kW > 0 ? ` · short ${number.format(doc.allocation.shortfall_kW)} kW` : ''}`)
}${row('Devices', `${doc.deliveries.sent} told, ${doc.deliveries.accepted} accepted, ${doc.deliveries.completed} completed`)
}${row('Trouble', `${doc.deliveries.optedOut} opted out, ${doc.deliveries.rejected} rejected, ${doc.deliveries.noComms} silent; ${number.format(doc.deliveries.reallocated_kW)} kW given to others`)
}${row('Measured', `${number.format(doc.readings.received)} readings; ${number.format(doc.metered_kWh)} kWh used where ${number.format(doc.baseline.energy_kWh)} kWh were expected`)
}${row('Delivered', `${number.format(doc.delivered_kWh)} kWh, ${share.format(doc.performance)} of the order`)
}${row('Baseline', `${doc.baseline.method}, ${doc.baseline.days.length} days: ${doc.baseline.days.join(', ')}`)
}${row('Money', `${doc.settlement.revenue} ${doc.settlement.currency}: customers ${doc.settlement.customerPool}, aggregator ${doc.settlement.aggregator}; ${doc.settlement.statements} statements`)
}${row('Audit', `${doc.audit.records} records, chain ${doc.audit.verified ? 'verified' : 'BROKEN'}`)
}
${chart(doc, local)}
${doc.checks.map((c) => `  ${c.ok ? '✓' : '✗'} ${c.name.padEnd(28)} ${c.detail}`).join('\n')}

${Object.entries(doc.urls).map(([name, url]) => `  ${name.padEnd(12)} ${url}`).join('\n')}
`
}

const height = 12

/** Baseline (·), target (-) and actual (█) by interval, in plain text. */
export function chart(doc: Pick<StoryDocument, 'intervals'>, local: (iso: string) => string): string {
  const points = doc.intervals
  if (!points.length) return ''
  const top = Math.max(...points.flatMap((p) => [p.baseline_kW, p.actual_kW, p.target_kW]), 1)
  const level = (kW: number): number => Math.round((Math.max(0, kW) / top) * height)
  const rows = Array.from({ length: height }, (_, i) => {
    const at = height - i
    const label = at === height || at === Math.round(height / 2) ? `${number.format((top * at) / height)} kW`.padStart(11) : ' '.repeat(11)
    return `${label} │${points.map((p) => cell(at, level(p.baseline_kW), level(p.target_kW), level(p.actual_kW))).join('')}`
  })
  const axis = `${' '.repeat(11)} └${'───'.repeat(points.length)}`
  const hours = `${' '.repeat(13)}${points.map((p) => (local(p.start).endsWith(':00') ? local(p.start).slice(0, 2).padEnd(3) : '   ')).join('')}`
  return `${rows.join('\n')}\n${axis}\n${hours}\n${' '.repeat(13)}█ actual   · baseline   - target\n`
}

const cell = (at: number, baseline: number, target: number, actual: number): string =>
  at === baseline ? (at <= actual ? '█·█' : ' · ') : at === target ? (at <= actual ? '█-█' : ' - ') : at <= actual ? '██ ' : '   '
