import { useState } from 'preact/hooks'
import { all } from '../../api.ts'
import { power } from '../../format.ts'
import { useLoad } from '../../live.ts'
import { t, word } from '../../text/index.ts'
import type { Device, Dispatch } from '../../types.ts'
import { Await } from '../../part/basics.tsx'
import { Table } from '../../part/table.tsx'

/** The part that each device would be given. Ten thousand devices are asked for only when somebody wants to see them. */
export function ByDevice({ of }: { of: Dispatch }) {
  const [open, setOpen] = useState(false)
  return (
    <details onToggle={(e) => setOpen(e.currentTarget.open)}>
      <summary>{t('new.byDevice')}</summary>
      {open && <Parts of={of.allocation.byResource} />}
    </details>
  )
}

function Parts({ of }: { of: Dispatch['allocation']['byResource'] }) {
  const devices = useLoad(async () => new Map((await all<Device>('/devices')).map((x) => [x.id, x])), [])
  return (
    <Await of={devices}>
      {(byId) => (
        <Table
          name="pv"
          caption="new.byDevice"
          rows={of}
          rowKey={(x) => x.resource}
          empty="device.none"
          sort="-kW"
          columns={[
            {
              id: 'name',
              title: 'common.name',
              value: (x) => byId.get(x.resource)?.name ?? x.resource,
              cell: (x) => (
                <a href={`#/devices/${x.resource}`} translate={false}>
                  {byId.get(x.resource)?.name ?? x.resource}
                </a>
              ),
            },
            { id: 'protocol', title: 'device.protocol', value: (x) => x.protocol, cell: (x) => word('protocol', x.protocol) },
            {
              id: 'rated',
              title: 'device.rated',
              num: true,
              value: (x) => byId.get(x.resource)?.rated_kW,
              cell: (x) => power(byId.get(x.resource)?.rated_kW),
            },
            { id: 'kW', title: 'device.part', num: true, value: (x) => x.power_kW, cell: (x) => power(x.power_kW) },
          ]}
        />
      )}
    </Await>
  )
}
