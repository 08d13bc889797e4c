import { count, power } from '../../format.ts'
import { may } from '../../session.ts'
import { t } from '../../text/index.ts'
import type { Enrolment, Program } from '../../types.ts'
import { D, State, Time } from '../../part/basics.tsx'
import { Table } from '../../part/table.tsx'
import { Bulk } from './bulk.tsx'
import { How } from './how.tsx'
import { Invite } from './invite.tsx'
import { NextStep } from './next-step.tsx'

interface Props {
  readonly program: Program
  readonly enrolments: Enrolment[]
  readonly names: Map<string, string>
  readonly reload: () => void
  /** While much is stored, nothing is asked for again and again. */
  readonly hold: (on: boolean) => void
}

const over = new Set(['withdrawn', 'rejected', 'expired'])

/** Who is enrolled and how far; one invited, or many from a list. */
export function Enrolments(props: Props) {
  const { program, enrolments, names, reload, hold } = props,
    keeper = may('admin', 'operator'),
    taken = new Set(enrolments.filter((e) => !over.has(e.state)).map((e) => e.servicePoint))
  return (
    <section>
      <h2>{t('enrol.title')}</h2>
      <p class="row">
        {t('enrol.states')}:{' '}
        {[...new Set(enrolments.map((e) => e.state))].map((s) => (
          <span key={s} class="row" data-count={s}>
            <State of={s} />
            <D>{count(enrolments.filter((e) => e.state === s).length)}</D>
          </span>
        ))}
      </p>
      <How />
      {keeper && (
        <div class="columns">
          <Invite program={program} free={[...names].flatMap(([id, name]) => (taken.has(id) ? [] : [name]))} reload={reload} />
          <Bulk program={program} reload={reload} hold={hold} />
        </div>
      )}
      <List {...props} keeper={keeper} />
    </section>
  )
}

function List({ program, enrolments, names, reload, keeper }: Props & { keeper: boolean }) {
  const name = (e: Enrolment): string => names.get(e.servicePoint) ?? e.servicePoint
  return (
    <Table<Enrolment>
      name="en"
      caption="enrol.title"
      rows={enrolments}
      rowKey={(e) => e.id}
      empty="enrol.none"
      sort="point"
      search={name}
      filters={[{ id: 'state', title: 'common.state', value: (e) => e.state }]}
      columns={[
        {
          id: 'point',
          title: 'enrol.point',
          value: name,
          cell: (e) => (
            <a href={`#/readings/${e.servicePoint}`} translate={false}>
              {name(e)}
            </a>
          ),
        },
        { id: 'state', title: 'common.state', value: (e) => e.state, cell: (e) => <State of={e.state} /> },
        { id: 'since', wide: true, title: 'enrol.since', value: (e) => e.modifiedAt, cell: (e) => <Time at={e.modifiedAt} in={program.timeZone} /> },
        { id: 'nominated', wide: true, title: 'enrol.nominated', num: true, value: (e) => e.nominated_kW, cell: (e) => power(e.nominated_kW) },
        { id: 'share', wide: true, title: 'program.share', num: true, value: (e) => e.share, cell: (e) => e.share ?? program.customerShare },
        {
          id: 'consent',
          wide: true,
          title: 'enrol.consentOf',
          value: (e) => (e.consent?.withdrawnAt ? null : e.consent?.grantedAt),
          cell: (e) =>
            e.consent?.withdrawnAt ? (
              <span>{t('enrol.consentEnded')}</span>
            ) : e.consent ? (
              <Time at={e.consent.grantedAt} in={program.timeZone} style="day" />
            ) : (
              <span class="soft">{t('enrol.consentNone')}</span>
            ),
        },
        ...(keeper ? [{ id: 'next', title: 'enrol.next' as const, cell: (e: Enrolment) => <NextStep e={e} name={name(e)} reload={reload} /> }] : []),
      ]}
    />
  )
}
