import { count, money, percent, plain, power, span } from '../../format.ts'
import { type Key, t } from '../../text/index.ts'
import { Age, Figure } from '../../part/basics.tsx'

export interface Kpis {
  at: string
  participationRate: number | null
  optOutRate: number | null
  commsLossRate: number | null
  deliveryRatio: number | null
  costPerMW: string | null
  costPerAsset: string | null
  retention: number | null
  events: number
  verified: number
  enrolled: number
  active: number
  responded: number
  deliveries: Record<string, number>
  reliability: number | null
  committed_kW: number
  delivered_kW: number
  latency_ms: { p50: number | null; p95: number | null; p99: number | null }
  forecastError: number | null
  settlementDays: number | null
  disputeRate: number | null
  tests: { events: number }
}

interface Row {
  readonly label: Key
  /** Null: there is no such figure yet, and `none` says why. */
  readonly value: string | null
  readonly of: string
  readonly none?: Key
}

/** Less than a minute and a half in tenths of a second: most calls arrive within one. */
const quick = (ms: number | null): string => (ms === null ? '–' : ms < 90_000 ? t('span.seconds', { n: plain(ms / 1000) }) : span(ms))
const share = (n: number | null): string | null => (n === null ? null : percent(n))

/** Each figure with what it is over, or why there is none (CORE-195, CORE-196). */
function rowsOf(k: Kpis, currency: string): Row[] {
  const n = Object.values(k.deliveries).reduce((a, b) => a + b, 0),
    calls = (part: number): { part: string; n: string } => ({ part: count(part), n: count(n) }),
    // nothing issued is not the same as nothing paid
    paid = (amount: string | null): string | null => (amount === null || k.settlementDays === null ? null : money(amount, currency)),
    notPaid = (other: Key): Key => (k.settlementDays === null ? 'kpi.no.issued' : other)
  return [
    { label: 'kpi.events', value: count(k.events), of: t('kpi.of.events', { tests: count(k.tests.events) }) },
    { label: 'kpi.active', value: count(k.active), of: t('kpi.of.active', { n: count(k.enrolled) }) },
    { label: 'kpi.participation', value: share(k.participationRate), of: t('kpi.of.participation', calls(k.responded)), none: 'kpi.no.calls' },
    { label: 'kpi.optOut', value: share(k.optOutRate), of: t('kpi.of.optOut', calls(k.deliveries.optedOut ?? 0)), none: 'kpi.no.calls' },
    { label: 'kpi.comms', value: share(k.commsLossRate), of: t('kpi.of.comms', calls(k.deliveries.noComms ?? 0)), none: 'kpi.no.calls' },
    { label: 'kpi.latency', value: k.latency_ms.p95 === null ? null : quick(k.latency_ms.p95), of: t('kpi.of.latency', { p50: quick(k.latency_ms.p50), p99: quick(k.latency_ms.p99) }), none: 'kpi.no.arrived' },
    { label: 'kpi.ratio', value: share(k.deliveryRatio), of: t('kpi.of.ratio', { part: power(k.delivered_kW), n: power(k.committed_kW), events: count(k.verified) }), none: 'kpi.no.verified' },
    { label: 'kpi.reliability', value: share(k.reliability), of: t('kpi.of.reliability', { n: count(k.verified) }), none: 'kpi.no.verified' },
    { label: 'kpi.cost', value: paid(k.costPerMW), of: t('kpi.of.cost', { n: power(k.delivered_kW) }), none: notPaid('kpi.no.verified') },
    { label: 'kpi.perAsset', value: paid(k.costPerAsset), of: t('kpi.of.perAsset', { n: count(k.active) }), none: notPaid('kpi.no.active') },
    { label: 'kpi.days', value: k.settlementDays === null ? null : plain(k.settlementDays), of: t('kpi.of.days'), none: 'kpi.no.issued' },
    { label: 'kpi.disputes', value: share(k.disputeRate), of: t('kpi.of.disputes'), none: 'kpi.no.issued' },
    { label: 'kpi.retention', value: share(k.retention), of: t('kpi.of.retention'), none: 'kpi.no.year' },
    { label: 'kpi.forecast', value: k.forecastError === null ? null : power(k.forecastError), of: t('kpi.of.forecast'), none: 'kpi.no.forecast' },
  ]
}

export const KeyFigures = ({ of: k, currency }: { of: Kpis; currency: string }) => (
  <section>
    <h2>{t('kpi.title')}</h2>
    <div class="cards">
      {rowsOf(k, currency).map(({ label, value, of, none }) => (
        <Figure key={label} label={label} value={value ?? '–'}>
          <p class="soft" data-of={label}>
            {value === null && none ? t(none) : of}
          </p>
          <Age at={k.at} />
        </Figure>
      ))}
    </div>
  </section>
)
