import { all } from '../../api.ts'
import { count, percent, when } from '../../format.ts'
import { useLoad } from '../../live.ts'
import { t } from '../../text/index.ts'
import { Age, Await, Time } from '../../part/basics.tsx'
import { Table } from '../../part/table.tsx'
import { serverNow } from '../../session.ts'

interface Event {
  readonly dispatch: string
  readonly state: string
  readonly test: boolean
  readonly start: string
  readonly deliveries: Readonly<Record<string, number>>
}
interface Point {
  readonly d: Event
  readonly told: number
  readonly optedOut: number
  readonly refused: number
  readonly silent: number
  readonly share: number | null
}

const ran = new Set(['active', 'completed', 'verified', 'settled'])
const most = 30

/** An order that never called anybody has no share. */
function pointOf(d: Event): Point {
  const { optedOut = 0, rejected: refused = 0, noComms: silent = 0 } = d.deliveries,
    told = Object.values(d.deliveries).reduce((a, b) => a + b, 0)
  return { d, told, optedOut, refused, silent, share: told === 0 ? null : (optedOut + refused + silent) / told }
}

async function newest(program: string): Promise<Point[]> {
  const events = await all<Event>(`/kpis/events?program=${program}`)
  return events
    .filter((d) => ran.has(d.state) && !d.test)
    .sort((a, b) => a.start.localeCompare(b.start))
    .slice(-most)
    .map(pointOf)
}

/** Opt-outs, refusals and silence, event by event: whether people tire of being called (CORE-195). */
export function OptOutCurve({ program, zone }: { program: string; zone: string }) {
  const curve = useLoad(async () => ({ points: await newest(program), at: new Date(serverNow()).toISOString() }), [program], {
    every: 15_000,
    when: (m) => m.action.startsWith('dispatch'),
    pause: 3000,
  })
  return (
    <section>
      <h2>{t('kpi.curve')}</h2>
      <Await of={curve}>
        {({ points, at }) =>
          points.length === 0 ? (
            <p class="card empty">{t('kpi.none')}</p>
          ) : (
            <>
              <p class="soft">
                {t('kpi.curveHelp', { n: most })} <Age at={at} />
              </p>
              {points.length > 1 && <Drawn points={points} zone={zone} />}
              <Rows points={points} zone={zone} />
            </>
          )
        }
      </Await>
    </section>
  )
}

const box = { width: 600, height: 130, left: 40, right: 8, top: 10, bottom: 12 }

/** The same as the rows, for the eye: from left to right as time went, from nobody at the bottom to all at the top. */
function Drawn({ points, zone }: { points: readonly Point[]; zone: string }) {
  const x = (i: number): number => box.left + (i / (points.length - 1)) * (box.width - box.left - box.right),
    y = (share: number): number => box.top + (1 - share) * (box.height - box.top - box.bottom),
    seen = points.flatMap((p, i) => (p.share === null ? [] : [{ ...p, x: x(i), y: y(p.share) }]))
  return (
    <figure class="card curve">
      <svg viewBox={`0 0 ${box.width} ${box.height}`} role="img" aria-label={t('kpi.curveLabel')} data-opt-out>
        {[0, 0.5, 1].map((s) => (
          <g key={s}>
            <line class="rule" x1={box.left} x2={box.width - box.right} y1={y(s)} y2={y(s)} />
            <text x={box.left - 6} y={y(s) + 4} text-anchor="end" translate={false}>
              {percent(s)}
            </text>
          </g>
        ))}
        <polyline points={seen.map((p) => `${p.x.toFixed(1)},${p.y.toFixed(1)}`).join(' ')} />
        {seen.map((p) => (
          <circle key={p.d.dispatch} cx={p.x} cy={p.y} r={4}>
            <title>{t('kpi.point', { day: when(p.d.start, zone), share: percent(p.share), lost: p.optedOut + p.refused + p.silent, told: p.told })}</title>
          </circle>
        ))}
      </svg>
    </figure>
  )
}

const Rows = ({ points, zone }: { points: readonly Point[]; zone: string }) => (
  <Table<Point>
    name="opt"
    caption="kpi.curve"
    rows={points}
    rowKey={(p) => p.d.dispatch}
    empty="kpi.none"
    sort="event"
    search={(p) => when(p.d.start, zone)}
    columns={[
      {
        id: 'event',
        title: 'statement.event',
        value: (p) => p.d.start,
        cell: (p) => (
          <a href={`#/dispatches/${p.d.dispatch}`}>
            <Time at={p.d.start} in={zone} />
          </a>
        ),
      },
      { id: 'share', title: 'kpi.share', num: true, value: (p) => p.share, cell: (p) => percent(p.share) },
      { id: 'told', wide: true, title: 'kpi.told', num: true, value: (p) => p.told, cell: (p) => count(p.told) },
      { id: 'optedOut', wide: true, title: 'kpi.optOut', num: true, value: (p) => p.optedOut, cell: (p) => count(p.optedOut) },
      { id: 'refused', wide: true, title: 'kpi.refused', num: true, value: (p) => p.refused, cell: (p) => count(p.refused) },
      { id: 'silent', wide: true, title: 'kpi.comms', num: true, value: (p) => p.silent, cell: (p) => count(p.silent) },
    ]}
  />
)
