import { useState } from 'preact/hooks'
import { post } from '../../api.ts'
import { count, power, span } from '../../format.ts'
import { may } from '../../session.ts'
import { type Key, t } from '../../text/index.ts'
import type { Enrolment, Program } from '../../types.ts'
import { Act, D, Field, State, text, Time } from '../../part/basics.tsx'
import { Table } from '../../part/table.tsx'
import { bodyOf, Bulk } from './bulk.tsx'

const nextSteps: Readonly<Record<string, readonly string[]>> = {
  applied: ['eligible', 'rejected'],
  eligible: ['verified', 'rejected'],
  verified: ['active'],
  active: ['suspended', 'withdrawn'],
  suspended: ['active', 'withdrawn'],
}

const way = ['eligible', 'verified', 'active'] as const

export function Enrolments({
  program,
  enrolments,
  names,
  reload,
}: {
  program: Program
  enrolments: Enrolment[]
  names: Map<string, string>
  reload: () => void
}) {
  const [f, set] = useState({ point: '', nominated: '', share: '', consent: true }),
    keeper = may('admin', 'operator')
  const states = [...new Set(enrolments.map((e) => e.state))]
  const invite = async (): Promise<void> => {
    await post('/enrolments', bodyOf(program.id, { servicePoint: f.point, nominated_kW: f.nominated, share: f.share }, f.consent))
    set({ ...f, point: '', nominated: '', share: '' })
    reload()
  }
  return (
    <section>
      <h2>{t('enrol.title')}</h2>
      <p class="row">
        {t('enrol.states')}:{' '}
        {states.map((s) => (
          <span key={s} class="row">
            <State of={s} />
            <D>{count(enrolments.filter((e) => e.state === s).length)}</D>
          </span>
        ))}
      </p>
      {keeper && (
        <div class="columns">
          <form class="card" onSubmit={(e) => e.preventDefault()}>
            <h3>{t('enrol.invite')}</h3>
            <div class="form">
              <Field label="enrol.point">
                <input name="point" list="points" value={f.point} onInput={text((v) => set({ ...f, point: v }))} />
                <datalist id="points">
                  {[...names.values()]
                    .filter((n) => !enrolments.some((e) => names.get(e.servicePoint) === n && e.state === 'active'))
                    .slice(0, 200)
                    .map((n) => (
                      <option key={n} value={n} />
                    ))}
                </datalist>
              </Field>
              <Field label="enrol.nominated">
                <input name="nominated" type="number" min="0" step="any" value={f.nominated} onInput={text((v) => set({ ...f, nominated: v }))} />
              </Field>
            </div>
            <label class="check">
              <input type="checkbox" checked={f.consent} onChange={(e) => set({ ...f, consent: e.currentTarget.checked })} /> {t('enrol.consent')}
            </label>
            <Act label="enrol.do" type="submit" kind="primary" disabled={f.point === ''} do={invite} />
          </form>
          <Bulk program={program.id} reload={reload} />
        </div>
      )}
      <Table<Enrolment>
        name="en"
        caption="enrol.title"
        rows={enrolments}
        rowKey={(e) => e.id}
        empty="enrol.none"
        sort="point"
        search={(e) => names.get(e.servicePoint) ?? e.servicePoint}
        filters={[{ id: 'state', title: 'common.state', value: (e) => e.state }]}
        columns={[
          {
            id: 'point',
            title: 'enrol.point',
            value: (e) => names.get(e.servicePoint) ?? e.servicePoint,
            cell: (e) => (
              <a href={`#/readings/${e.servicePoint}`} translate={false}>
                {names.get(e.servicePoint) ?? e.servicePoint}
              </a>
            ),
          },
          { id: 'state', title: 'common.state', value: (e) => e.state, cell: (e) => <State of={e.state} /> },
          { id: 'since', wide: true, title: 'enrol.since', value: (e) => e.modifiedAt, cell: (e) => <Time at={e.modifiedAt} in={program.timeZone} /> },
          { id: 'nominated', wide: true, title: 'enrol.nominated', num: true, value: (e) => e.nominated_kW, cell: (e) => power(e.nominated_kW) },
          { id: 'share', wide: true, title: 'program.share', num: true, value: (e) => e.share, cell: (e) => e.share ?? program.customerShare },
          {
            id: 'next',
            title: 'enrol.next',
            cell: (e) =>
              keeper ? (
                <details>
                  <summary>{t('enrol.next')}</summary>
                  <div class="row">
                    {(nextSteps[e.state] ?? []).map((to) => (
                      <Act
                        key={to}
                        label={`enrol.to.${to}` as Key}
                        do={async () => {
                          await post(`/enrolments/${e.id}/transitions`, { to })
                          reload()
                        }}
                      />
                    ))}
                    {way.includes(nextSteps[e.state]?.[0] as 'eligible') && e.state !== 'suspended' && (
                      <Act
                        label="enrol.allSteps"
                        do={async () => {
                          for (const to of way.slice(way.indexOf(nextSteps[e.state]![0] as 'eligible')))
                            await post(`/enrolments/${e.id}/transitions`, { to })
                          reload()
                        }}
                      />
                    )}
                  </div>
                </details>
              ) : (
                ''
              ),
          },
        ]}
      />
    </section>
  )
}
