import { statfs } from 'node:fs/promises'
import { Counter, Gauge, type Registry } from 'prom-client'
import { certificatesFrom, readCertificate, type PkiFolder } from '#certs/index.js'
import { collectProcessMetrics } from '#core/operator/door.js'
import type { Csip } from '#csip-server/server.js'
import type { Csms } from '#csms/server.js'
import type { DoorNeeds } from '#main/doors.js'

type Labels = Readonly<Record<string, string>>

/** One metric, described once: /metrics, docs/metrics.md and the tests of the alert rules go by it. */
interface Measure {
  readonly name: string
  readonly type: 'counter' | 'gauge'
  readonly labels: readonly string[]
  readonly help: string
  /** Its lines now. */
  readonly lines: () => Promise<readonly { readonly labels: Labels; readonly value: number }[]>
}

export interface MetricNeeds extends DoorNeeds {
  readonly csip: Csip
  readonly csms: Csms
  readonly version: string
}

/** UX-071: bounded labels only; nothing here grows with the number of devices. */
export function collectMetrics(register: Registry, needs: MetricNeeds): void {
  collectProcessMetrics(register)
  for (const { name, type, labels, help, lines } of [...ownMeasures(needs), ...csipMeasures(needs.csip)]) {
    const common = { name, help, labelNames: [...labels], registers: [] }
    register.registerMetric(type === 'gauge'
      ? new Gauge({ ...common, async collect() { this.reset(); for (const l of await lines()) this.set(l.labels, l.value) } })
      : new Counter({ ...common, async collect() { this.reset(); for (const l of await lines()) this.inc(l.labels, l.value) } }))
  }
}

function ownMeasures({ certificates, csms, core, parts, options, machine, version }: MetricNeeds): Measure[] {
  const single = (value: number) => [{ labels: {}, value }]
  return [
    { name: 'loadstone_build_info', type: 'gauge', labels: ['version', 'node'], help: 'Always 1; the labels say what runs', lines: async () => [{ labels: { version, node: process.version }, value: 1 }] },
    {
      name: 'loadstone_part_ready', type: 'gauge', labels: ['part'], help: '1 while a part of /readyz is ready',
      async lines() {
        const asked = Object.entries({ database: async () => ({ ok: await core.database.ping() }), ...parts.list })
        return Promise.all(asked.map(async ([part, ask]) => ({ labels: { part }, value: await Promise.resolve().then(ask).then((p) => Number(p.ok), () => 0) })))
      },
    },
    { name: 'loadstone_certificate_seconds_left', type: 'gauge', labels: ['certificate'], help: 'Time until one of our own certificates ends', lines: async () => certificateEnds(certificates.pki).map(({ name, notAfterMs }) => ({ labels: { certificate: name }, value: Math.floor((notAfterMs - machine.nowMs()) / 1000) })) },
    { name: 'loadstone_data_disk_free_bytes', type: 'gauge', labels: [], help: 'Room on the disk of the data folder', async lines() { const s = await statfs(options.data.path); return single(s.bavail * s.bsize) } },
    { name: 'loadstone_ocpp_stations_online', type: 'gauge', labels: [], help: 'Charging stations connected to this process', lines: async () => single(csms.fleet.online().length) },
  ]
}

/** Our own certificates and when they end. */
export function certificateEnds({ csip, tls, ocpp }: PkiFolder): { name: string; notAfterMs: number }[] {
  const pem = { '2030.5 server': csip.server.cert, 'TLS server': tls.ec.cert, 'TLS server (RSA)': tls.rsa.cert, 'TLS root': tls.ca, 'OCPP root': ocpp.ca }
  return Object.entries(pem).flatMap(([name, text]) => certificatesFrom(String(text)).slice(0, 1).map((der) => ({ name, notAfterMs: readCertificate(der).notAfterMs })))
}

/** What the 2030.5 room counts for itself (SEP-255); each scrape asks it once. */
const csipNames: readonly (readonly [name: string, type: Measure['type'], labels: readonly string[], help: string])[] = [
  ['loadstone_csip_handshakes_total', 'counter', ['result', 'suite'], 'TLS handshakes of the 2030.5 door'],
  ['loadstone_csip_requests_total', 'counter', ['route', 'status'], 'Requests at the 2030.5 door'],
  ['loadstone_csip_devices_seen', 'gauge', ['within_s'], 'Devices that were seen within so many seconds'],
  ['loadstone_csip_notifications_total', 'counter', ['outcome'], 'Notifications to subscribers'],
  ['loadstone_csip_notifications_pending', 'gauge', [], 'Subscriptions whose receiver has not the newest state'],
  ['loadstone_csip_events', 'gauge', ['state'], 'DERControls, scheduled and active'],
  ['loadstone_csip_readings_too_old_total', 'counter', [], 'Readings older than the retention: accepted and dropped'],
]

function csipMeasures(csip: Csip): Measure[] {
  let asked: ReturnType<Csip['samples']> | undefined
  const samples = (): ReturnType<Csip['samples']> => {
    asked ??= csip.samples()
    setImmediate(() => { asked = undefined })
    return asked
  }
  const open: Measure = { name: 'loadstone_csip_connections', type: 'gauge', labels: [], help: 'Open connections of the 2030.5 door', lines: async () => [{ labels: {}, value: csip.connections() }] }
  return [open, ...csipNames.map(([name, type, labels, help]): Measure => ({ name, type, labels, help, lines: async () => (await samples()).filter((s) => s.name === name) }))]
}

/** docs/metrics.md, from what /metrics prints. */
export function metricsPage(printed: string): string {
  const types = new Map([...printed.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map((m) => [m[1], m[2]]))
  const labels = (name: string): string => [...new Set([...printed.matchAll(new RegExp(`^${name}(?:_bucket|_sum|_count)?\\{([^}]*)\\}`, 'gm'))].flatMap((m) => [...m[1]!.matchAll(/(\w+)="/g)].map((l) => l[1]!)))].filter((l) => l !== 'le').map((l) => `\`${l}\``).join(', ')
  const rows = [...printed.matchAll(/^# HELP (loadstone_\S+) (.*)$/gm)].map(([, name = '', help]) => `| \`${name}\` | ${types.get(name)} | ${known.get(name)?.map((l) => `\`${l}\``).join(', ') ?? labels(name)} | ${help} |`).sort()
  return `${head}\n| name | type | labels | what |\n|---|---|---|---|\n${rows.join('\n')}\n`
}

/** Labels of metrics that may have no line yet. */
const known = new Map(csipNames.map(([name, , labels]) => [name, labels]))

const head = `# Metrics

What \`/metrics\` of the operator door prints in the Prometheus text format (on loopback without a token, elsewhere with one of any role). This page is made from a running
server by a test, and the alert rules and dashboards in \`deploy/\` are tested against it. Labels are bounded: none grows with the number of devices.
Beside these come the process's own: \`process_*\` and \`nodejs_*\` of prom-client.
`
