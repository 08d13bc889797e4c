import { get, type List, post } from '../../api.ts'
import { useLoad } from '../../live.ts'
import { may } from '../../session.ts'
import { t } from '../../text/index.ts'
import { Act, Await, State, Time } from '../../part/basics.tsx'
import { Table } from '../../part/table.tsx'

interface Stop {
  id: string
  scope: string
  subject: string
  reason: string
  by: string
  at: string
  active: boolean
  liftedAt: string | null
}

export function Stops() {
  const list = useLoad(() => get<List<Stop>>('/stop'), [], { every: 10_000, when: (m) => m.action.startsWith('stop') })
  return (
    <>
      <h2>{t('set.stops')}</h2>
      <Await of={list}>
        {(l) => (
          <Table<Stop>
            name="stop"
            caption="set.stops"
            rows={l.items}
            rowKey={(s) => s.id}
            empty="set.noStops"
            sort="-at"
            columns={[
              { id: 'at', title: 'common.at', value: (s) => s.at, cell: (s) => <Time at={s.at} /> },
              { id: 'scope', title: 'set.scope', value: (s) => s.scope, cell: (s) => `${s.scope} ${s.subject}` },
              { id: 'by', title: 'common.by', value: (s) => s.by, cell: (s) => s.by },
              { id: 'reason', title: 'common.reason', value: (s) => s.reason, cell: (s) => s.reason },
              { id: 'state', title: 'common.state', value: (s) => String(s.active), cell: (s) => <State of={s.active ? 'active' : 'closed'} /> },
              {
                id: 'lift',
                title: 'stop.lift',
                cell: (s) =>
                  s.active && may('admin', 'operator', 'dispatcher') ? (
                    <Act
                      label="stop.lift"
                      do={async () => {
                        await post(`/stop/${s.id}/lift`)
                        list.reload()
                      }}
                    />
                  ) : (
                    ''
                  ),
              },
            ]}
          />
        )}
      </Await>
    </>
  )
}
