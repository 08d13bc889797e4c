import { useState } from 'preact/hooks'
import { type List, post } from '../../api.ts'
import { count, when } from '../../format.ts'
import { zone } from '../../session.ts'
import { t } from '../../text/index.ts'
import { Act, download, Field, Secret, text } from '../../part/basics.tsx'
import { csvText } from '../../part/csv.ts'
import type { Vendor } from './certificate.ts'

interface Made {
  hwSerialNum: string
  secret: string
  expiresAt: string
}

/** Secrets are told once: they are on this page until it is left, and nowhere else. */
export function Secrets({ vendors }: { vendors: Vendor[] }) {
  const [f, set] = useState({ vendor: vendors[0]!.name, serials: '', hours: '24' }),
    [made, setMade] = useState<Made[]>(),
    serials = [...new Set(f.serials.split(/[\s,;]+/).filter((x) => x !== ''))]
  const make = async (): Promise<void> => {
    const answer = await post<List<Made>>(`/vendors/${encodeURIComponent(f.vendor)}/secrets`, { hwSerialNums: serials, expiresIn_s: Math.round(Number(f.hours) * 3600) })
    setMade(answer.items)
    set({ ...f, serials: '' })
  }
  return (
    <form class="card" data-secrets onSubmit={(e) => e.preventDefault()}>
      <h2>{t('vendor.secrets')}</h2>
      <Field label="nav.vendors">
        <select name="secret-vendor" value={f.vendor} onChange={text((v) => set({ ...f, vendor: v }))}>
          {vendors.map((v) => (
            <option key={v.name} value={v.name} translate={false}>
              {v.name}
            </option>
          ))}
        </select>
      </Field>
      <Field label="vendor.serial" help={t('vendor.secretsHelp')}>
        <textarea name="serials" rows={3} spellcheck={false} value={f.serials} onInput={text((v) => set({ ...f, serials: v }))} />
      </Field>
      <Field label="vendor.hours">
        <input name="hours" type="number" min="1" max="8760" value={f.hours} onInput={text((v) => set({ ...f, hours: v }))} />
      </Field>
      <Act label="vendor.makeSecrets" values={{ n: count(serials.length) }} type="submit" kind="primary" disabled={serials.length === 0} do={make} />
      {made && (
        <div>
          <Secret of={made.map((x) => `${x.hwSerialNum},${x.secret}`).join('\n')} />
          <p class="soft">{t('vendor.secretUse', { until: `${when(made[0]!.expiresAt, zone())} (${zone()})` })}</p>
          <button type="button" class="small" onClick={() => download('secrets.csv', 'text/csv', csvText([['hwSerialNum', 'secret', 'expiresAt'], ...made.map((x) => [x.hwSerialNum, x.secret, x.expiresAt])]))}>
            {t('vendor.secretFile')}
          </button>
        </div>
      )}
    </form>
  )
}
