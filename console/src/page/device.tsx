import { power, when } from '../format.ts'
import { useLoad } from '../live.ts'
import { t, word, type Key } from '../text/index.ts'
import { Age, Await, D, Facts, State, Time } from '../part/basics.tsx'
import { everything, type Everything } from './device/everything.ts'
import { why } from './device/why.ts'
import { StopDevice } from './device/stop-device.tsx'
import { CaptureFrames } from './device/capture.tsx'
import { Frames } from './device/frames.tsx'
import { Notes } from './device/notes.tsx'
import { Place } from './device/place.tsx'
import { Orders } from './device/orders.tsx'
import { Readings } from './device/net-power.tsx'

/** One device: who it is, what it was told, what it answered, what it measured, and in one sentence why it did not respond (UX-049). */
export function DevicePage({ id }: { id: string }) {
  const found = useLoad((partly: (e: Everything) => void) => everything(id, partly), [id], {
    every: 10_000,
    when: (m) => m.action.startsWith('delivery') || m.action.startsWith('dispatch'),
    pause: 2000,
  })
  return <Await of={found}>{(e) => <Found e={e} reload={found.reload} />}</Await>
}

function Found({ e, reload }: { e: Everything; reload: () => void }) {
  const { resource: r, point, station: s, certificate: c } = e,
    binding = r.bindings.find((b) => b.control) ?? r.bindings[0]
  return (
    <>
      <div class="row titlebar">
        <div class="grow">
          <h1 translate={false}>{r.name}</h1>
          <p class="row">
            <span>{word('kind', r.kind)}</span>
            <span>{word('protocol', binding?.protocol)}</span>
            {s && <State of={s.online ? 'online' : 'offline'} />}
            <State of={e.enrolments.find((x) => x.state === 'active')?.state ?? e.enrolments.at(-1)?.state ?? 'notEnrolled'} />
            {e.deliveries[0] && <State of={e.deliveries[0].state} />}
          </p>
        </div>
        <StopDevice id={r.id} reload={reload} />
      </div>
      <section class="card why">
        <h2>{t('why.title')}</h2>
        <p data-why={e.deliveries[0]?.state ?? 'none'}>{why(e)}</p>
        <p class="soft">{t('why.shown')}</p>
      </section>
      <div class="columns">
        <section class="card">
          <h2>{t('device.identity')}</h2>
          <Facts
            of={[
              ['device.remoteId', binding ? `${binding.remoteId}${binding.evseId ? ` / ${binding.evseId}` : ''}` : '–'],
              ['device.rated', power(r.rated_kW)],
              [
                'device.point',
                <a href={`#/readings/${point.id}`} translate={false}>
                  {point.name}
                </a>,
              ],
              ['device.feeder', point.gridPath.join(' › ') || '–'],
              point.importLimit_kW !== null && ['device.limit', power(point.importLimit_kW)],
              Object.keys(r.constraints).length > 0 && ['device.constraints', JSON.stringify(r.constraints)],
              ['device.id', r.id],
            ]}
          />
          <Place key={point.version} point={point} reload={reload} />
          <h3>{t('device.enrolments')}</h3>
          {e.enrolments.length === 0 ? (
            <State of="notEnrolled" />
          ) : (
            <ul class="trouble">
              {e.enrolments.map((x) => (
                <li key={x.id} class="row">
                  <State of={x.state} />
                  <a href={`#/programs/${x.program}`} translate={false}>
                    {e.programs.get(x.program) ?? x.program}
                  </a>
                  <Time at={x.modifiedAt} />
                </li>
              ))}
            </ul>
          )}
          {e.optOuts.length > 0 && (
            <>
              <h3>{t('device.optOuts')}</h3>
              <ul>
                {e.optOuts.map((o) => (
                  <li key={o.id}>
                    <Time at={o.from} /> – <Time at={o.to} /> <D>{o.reason}</D>
                  </li>
                ))}
              </ul>
            </>
          )}
        </section>
        <section class="card">
          <h2>{t('device.connection')}</h2>
          {s ? (
            <Facts
              of={[
                ['common.state', <State of={s.online ? 'online' : 'offline'} />],
                ['device.version', s.version ? `OCPP ${s.version}` : '–'],
                s.profileInUse !== null && ['device.security', <span>{t(`device.security.${s.profileInUse}` as Key)}</span>],
                [
                  'device.lastSeen',
                  <>
                    <Time at={s.lastSeen} /> <Age at={s.lastSeen} />
                  </>,
                ],
                [
                  'common.details',
                  s.boot
                    ? Object.entries(s.boot)
                        .filter(([k]) => k !== 'at')
                        .map(([k, v]) => `${k} ${String(v)}`)
                        .join(', ')
                    : '–',
                ],
              ]}
            />
          ) : (
            <><p class="soft">{t('device.asks')}</p><Facts of={[['device.lastSeen', e.frames[0] ? <><Time at={e.frames[0].at} /> <Age at={e.frames[0].at} /></> : '–']]} /></>
          )}
          {c && (
            <>
              <h3>{t('device.certificate')}</h3>
              <Facts
                of={[
                  ['common.state', <State of={c.state} />],
                  ['common.from', <Time at={c.notBefore} style="day" />],
                  ['common.to', <Time at={c.notAfter} style="day" />],
                  ['device.vendor', c.vendor ?? '–'],
                  ['device.serial', c.serial ?? '–'],
                ]}
              />
            </>
          )}
          {e.record && (
            <pre tabIndex={0} translate={false}>
              {e.record.replaceAll('><', '>\n<')}
            </pre>
          )}
        </section>
      </div>
      {binding && <Frames of={e.frames} name={r.name} />}
      {binding && <CaptureFrames device={r.id} name={r.name} />}
      <Orders e={e} />
      <Notes device={r.id} />
      <Readings point={point.id} />
    </>
  )
}
