import { useState } from 'preact/hooks'
import { post } from '../../api.ts'
import { t } from '../../text/index.ts'
import { Act, Field, text } from '../../part/basics.tsx'

export function NewVendor({ reload }: { reload: () => void }) {
  const [f, set] = useState({ name: '', pen: '', approval: 'automatic', policy: 'factory' })
  return (
    <form class="card" onSubmit={(e) => e.preventDefault()}>
      <h2>{t('vendor.new')}</h2>
      <div class="form">
      <Field label="common.name">
        <input name="vendor" value={f.name} onInput={text((v) => set({ ...f, name: v }))} />
      </Field>
      <Field label="vendor.pen">
        <input name="pen" type="number" min="1" value={f.pen} onInput={text((v) => set({ ...f, pen: v }))} />
      </Field>
      <Field label="vendor.approval">
        <select value={f.approval} onChange={text((v) => set({ ...f, approval: v }))}>
          {(['automatic', 'manual'] as const).map((x) => (
            <option key={x} value={x}>
              {t(`vendor.approval.${x}`)}
            </option>
          ))}
        </select>
      </Field>
      <Field label="vendor.policy">
        <select value={f.policy} onChange={text((v) => set({ ...f, policy: v }))}>
          {(['factory', 'postManufacture'] as const).map((x) => (
            <option key={x} value={x}>
              {t(`vendor.policy.${x}`)}
            </option>
          ))}
        </select>
      </Field>
      </div>
      <Act
        label="vendor.new"
        type="submit"
        kind="primary"
        disabled={f.name === '' || f.pen === ''}
        do={async () => {
          await post('/vendors', { ...f, pen: Number(f.pen) })
          set({ ...f, name: '', pen: '' })
          reload()
        }}
      />
    </form>
  )
}
