import { useState } from 'preact/hooks'
import { call } from '../../api.ts'
import { plain } from '../../format.ts'
import { may } from '../../session.ts'
import { t } from '../../text/index.ts'
import type { ServicePoint } from '../../types.ts'
import { Act, D, Field, text } from '../../part/basics.tsx'

/** Where a device stands, and the way to say so: for the map only (UX-047). */
export function Place({ point, reload }: { point: ServicePoint; reload: () => void }) {
  const at = point.location, [f, set] = useState({ latitude: String(at?.latitude ?? ''), longitude: String(at?.longitude ?? '') })
  const put = (location: ServicePoint['location']) => async (): Promise<void> => {
    await call('PATCH', `/service-points/${point.id}`, { location, version: point.version })
    reload()
  }
  const given = f.latitude.trim() !== '' && f.longitude.trim() !== '' && Math.abs(Number(f.latitude)) <= 90 && Math.abs(Number(f.longitude)) <= 180
  return (
    <details data-place={at ? `${at.latitude},${at.longitude}` : ''}>
      <summary>
        {t('device.place')}: {at ? <D>{`${plain(at.latitude, 5)}°, ${plain(at.longitude, 5)}°`}</D> : t('device.noPlace')}
      </summary>
      {may('admin', 'operator') && (
        <>
          <div class="form">
            <Field label="device.latitude">
              <input name="latitude" type="number" step="any" min="-90" max="90" value={f.latitude} onInput={text((v) => set({ ...f, latitude: v }))} />
            </Field>
            <Field label="device.longitude">
              <input name="longitude" type="number" step="any" min="-180" max="180" value={f.longitude} onInput={text((v) => set({ ...f, longitude: v }))} />
            </Field>
          </div>
          <div class="row">
            <Act label="device.setPlace" disabled={!given} do={put({ latitude: Number(f.latitude), longitude: Number(f.longitude) })} />
            {at && <Act label="device.forgetPlace" do={put(null)} />}
          </div>
        </>
      )}
    </details>
  )
}
