import type { Figure } from '#bench/figure.js'

/** One line of the table in deploy/README.md: which figures it is made of, and how it says them. */
interface Size {
  readonly what: string
  readonly of: readonly string[]
  readonly say: (value: (name: string) => number) => string
}

/** Benchmarks that the table needs. */
export const sizeBenches = ['start', 'ingest', 'csms-rpc', 'csip', 'vtn', 'est', 'settlement'] as const

const grouped = (n: number): string => String(n >= 1000 ? Number(n.toPrecision(2)) : Math.round(n)).replace(/\B(?=(\d{3})+$)/g, ',')
const short = (n: number): string => (n >= 100 ? grouped(n) : String(Number(n.toPrecision(2))))

const sizes: readonly Size[] = [
  { what: 'start', of: ['start first', 'start later'], say: (v) => `${short(v('start first') / 1000)} s on an empty data folder, ${short(v('start later') / 1000)} s later` },
  { what: 'memory of the server, idle', of: ['server memory idle'], say: (v) => `${short(v('server memory idle'))} MB, its embedded database apart` },
  { what: 'OCPP, an idle station', of: ['ocpp idle station ws'], say: (v) => `${short(v('ocpp idle station ws'))} KB: 10,000 stations are ${short(v('ocpp idle station ws') * 10)} MB` },
  { what: 'OCPP, messages stored', of: ['ocpp transaction events stored', 'ocpp meter values stored'], say: (v) => `${grouped(v('ocpp transaction events stored'))} TransactionEvents or ${grouped(v('ocpp meter values stored'))} MeterValues a second` },
  { what: 'IEEE 2030.5, lists of 50', of: ['csip list cached', 'csip list changed'], say: (v) => `${grouped(v('csip list cached'))} requests a second, ${grouped(v('csip list changed'))} when each differs` },
  { what: 'IEEE 2030.5 over CCM8', of: ['csip ccm8 kept alive', 'csip handshakes full'], say: (v) => `${grouped(v('csip ccm8 kept alive'))} requests a second on 100 kept connections, ${grouped(v('csip handshakes full'))} full handshakes a second` },
  { what: 'IEEE 2030.5, 300 mirrored readings', of: ['mirror meter reading of 300'], say: (v) => `${short(v('mirror meter reading of 300'))} ms to parse and check` },
  { what: 'OpenADR, lists of 50', of: ['vtn list cached', 'vtn list changed'], say: (v) => `${grouped(v('vtn list cached'))} requests a second, ${grouped(v('vtn list changed'))} when each differs` },
  { what: 'OpenADR, events made', of: ['vtn post event', 'vtn webhooks drained'], say: (v) => `${grouped(v('vtn post event'))} a second; ${grouped(v('vtn webhooks drained'))} webhooks a second` },
  { what: 'readings taken in', of: ['readings ingest'], say: (v) => `${grouped(v('readings ingest'))} a second` },
  { what: 'disk', of: ['reading on disk'], say: (v) => `${short(v('reading on disk'))} bytes a reading: 1,000 meters at 15 minutes are ${short((v('reading on disk') * 96_000) / 1e6)} MB a day` },
  { what: 'certificates', of: ['device certificates', 'est enrolments'], say: (v) => `${grouped(v('device certificates'))} device certificates a second, ${grouped(v('est enrolments'))} EST enrolments a second` },
  { what: 'settlement of a month', of: ['settlement month', 'settlement memory'], say: (v) => `${short(v('settlement month'))} s for 10,000 resources at 15 minutes, ${grouped(v('settlement memory'))} MB` },
]

const begin = '<!-- sizes: made by `npm run bench -- --sizes` -->', end = '<!-- sizes end -->'

/** The table; a line whose figures were not all measured is left out and named. */
export function sizesTable(figures: readonly Figure[], machine: string): { table: string; missing: readonly string[] } {
  const found = new Map(figures.map((f) => [f.name, f.value])), whole = sizes.filter((s) => s.of.every((name) => found.has(name)))
  const rows = whole.map(({ what, say }) => `| ${what} | ${say((name) => found.get(name)!)} |`)
  return { table: `${begin}\n${machine}\n\n| what | figure |\n|---|---|\n${rows.join('\n')}\n${end}`, missing: sizes.filter((s) => !whole.includes(s)).map((s) => s.what) }
}

/** The page with the table in its place. */
export function withSizes(page: string, table: string): string {
  const from = page.indexOf(begin), to = page.indexOf(end)
  if (from < 0 || to < from) throw new Error('the page has no place for the table of sizes')
  return page.slice(0, from) + table + page.slice(to + end.length)
}
