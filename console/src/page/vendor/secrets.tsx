import { useState } from 'preact/hooks'
import { type List, post } from '../../api.ts'
import { t } from '../../text/index.ts'
import { Act, Field, Secret, text } from '../../part/basics.tsx'
import type { Vendor } from './certificate.ts'

export function Secrets({ vendors }: { vendors: Vendor[] }) {
  const [f, set] = useState({ vendor: vendors[0]!.name, serials: '', hours: '24' }),
    [made, setMade] = useState<string>(),
    serials = f.serials.split(/\s+/).filter((x) => x !== '')
  const make = async (): Promise<void> => {
    const answer = await post<List<{ hwSerialNum: string; secret: string }>>(`/vendors/${encodeURIComponent(f.vendor)}/secrets`, {
      hwSerialNums: serials,
      expiresIn_s: Number(f.hours) * 3600,
    })
    setMade(answer.items.map((x) => `${x.hwSerialNum},${x.secret}`).join('\n'))
  }
  return (
    <form class="card" onSubmit={(e) => e.preventDefault()}>
      <h2>{t('vendor.secrets')}</h2>
      <Field label="nav.vendors">
        <select value={f.vendor} onChange={text((v) => set({ ...f, vendor: v }))}>
          {vendors.map((v) => (
            <option key={v.name} translate={false}>
              {v.name}
            </option>
          ))}
        </select>
      </Field>
      <Field label="vendor.serial" help={t('vendor.secretsHelp')}>
        <textarea name="serials" rows={3} value={f.serials} onInput={text((v) => set({ ...f, serials: v }))} />
      </Field>
      <Field label="vendor.hours">
        <input name="hours" type="number" min="1" max="8760" value={f.hours} onInput={text((v) => set({ ...f, hours: v }))} />
      </Field>
      <Act label="vendor.makeSecrets" values={{ n: serials.length }} type="submit" kind="primary" disabled={serials.length === 0} do={make} />
      {made && <Secret of={made} />}
    </form>
  )
}
