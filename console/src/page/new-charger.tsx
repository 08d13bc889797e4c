import { useState } from 'preact/hooks'
import { get, orNone, post } from '../api.ts'
import { useLoad } from '../live.ts'
import { t } from '../text/index.ts'
import { Act, D, Facts, Field, Secret, State, text } from '../part/basics.tsx'

interface Made {
  id: string
  url: string
  password?: string
}
interface Station {
  online: boolean
  version: string | null
  registration: string
}

/** A charger from nothing to the list: what to type into it, and the moment it is here (UX-005). */
export function NewCharger() {
  const [f, set] = useState({ id: '', point: '', rated: '22', profile: '2' }),
    [made, setMade] = useState<Made>()
  const add = async (): Promise<void> => {
    const id = f.id.trim(),
      point = f.point.trim() || id
    const station = await post<Made>('/stations', { id, securityProfile: Number(f.profile) })
    setMade(station)
    if (!(await orNone(get(`/service-points/${encodeURIComponent(point)}`)))) await post('/service-points', { name: point })
    await post('/resources', { name: id, servicePoint: point, kind: 'evse', rated_kW: Number(f.rated), bindings: [{ protocol: 'ocpp', remoteId: id, evseId: 1 }] })
  }
  return (
    <>
      <h1>{t('charger.title')}</h1>
      <form class="card" onSubmit={(e) => e.preventDefault()}>
        <div class="form">
          <Field label="charger.id" help={t('charger.idHelp')}>
            <input name="station" maxLength={48} value={f.id} onInput={text((v) => set({ ...f, id: v }))} />
          </Field>
          <Field label="charger.rated">
            <input name="rated" type="number" min="1" step="any" value={f.rated} onInput={text((v) => set({ ...f, rated: v }))} />
          </Field>
          <Field label="charger.point" help={t('charger.pointHelp')}>
            <input name="point" value={f.point} onInput={text((v) => set({ ...f, point: v }))} />
          </Field>
          <Field label="charger.profile">
            <select name="profile" value={f.profile} onChange={text((v) => set({ ...f, profile: v }))}>
              {(['2', '1'] as const).map((p) => <option key={p} value={p}>{t(`charger.profile.${p}`)}</option>)}
            </select>
          </Field>
        </div>
        <Act label="charger.add" type="submit" kind="primary" disabled={!/^[\w.:-]+$/.test(f.id.trim()) || made !== undefined} do={add} />
      </form>
      {made && <Typed made={made} />}
    </>
  )
}

/** URL, id and password as the charger's own menu asks for them, then whether it came. */
function Typed({ made }: { made: Made }) {
  const station = useLoad(() => get<Station>(`/stations/${encodeURIComponent(made.id)}`), [made.id], { every: 2000 }),
    here = station.data?.online ?? false
  return (
    <section class="card" aria-live="polite" data-charger={made.id}>
      <h2>{t('charger.type')}</h2>
      <Facts
        of={[
          ['charger.url', made.url],
          ['charger.id', made.id],
        ]}
      />
      {made.password && (
        <>
          <h3>{t('charger.password')}</h3>
          <Secret of={made.password} />
        </>
      )}
      <p class="row">
        <State of={here ? 'online' : 'offline'} />
        {here ? <>{t('charger.here', { version: station.data?.version ?? '' })}</> : t('charger.waiting')}
      </p>
      <p>
        <D class="soft">{`loadstone sim charger --url ${made.url.replace(/\/[^/]*$/, '')} --id ${made.id}`}</D>
      </p>
    </section>
  )
}
