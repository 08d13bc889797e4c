import { useState } from 'preact/hooks'
import { post } from '../../api.ts'
import { t } from '../../text/index.ts'
import { Act, Field, text } from '../../part/basics.tsx'
import { faultsOf } from '../../part/faults.ts'

const empty = { name: '', pen: '', approval: 'automatic', policy: 'factory', fingerprints: '' }

export function NewVendor({ reload }: { reload: () => void }) {
  const [f, set] = useState(empty),
    [wrong, setWrong] = useState<Record<string, string>>({})
  const help = (path: string, words?: string) => (
    <>
      {words}
      {wrong[path] && (
        <span class="wrong" translate={false}>
          {wrong[path]}
        </span>
      )}
    </>
  )
  const add = async (): Promise<void> => {
    setWrong({})
    try {
      await post('/vendors', { ...f, pen: Number(f.pen), fingerprints: f.fingerprints.split(/[\s,]+/).map((x) => x.replaceAll(':', '')).filter((x) => x !== '') })
    } catch (error) {
      setWrong(faultsOf(error))
      throw error
    }
    set(empty)
    reload()
  }
  return (
    <form class="card" data-new-vendor noValidate onSubmit={(e) => e.preventDefault()}>
      <h2>{t('vendor.new')}</h2>
      <div class="form">
        <Field label="common.name" help={help('/name')}>
          <input name="vendor" value={f.name} onInput={text((v) => set({ ...f, name: v }))} />
        </Field>
        <Field label="vendor.pen" help={help('/pen', t('vendor.penHelp'))}>
          <input name="pen" type="number" min="1" value={f.pen} onInput={text((v) => set({ ...f, pen: v }))} />
        </Field>
        <Field label="vendor.approval" help={t('vendor.approvalHelp')}>
          <select name="approval" value={f.approval} onChange={text((v) => set({ ...f, approval: v }))}>
            {(['automatic', 'manual'] as const).map((x) => (
              <option key={x} value={x}>
                {t(`vendor.approval.${x}`)}
              </option>
            ))}
          </select>
        </Field>
        <Field label="vendor.policy" help={t('vendor.policyHelp')}>
          <select name="policy" value={f.policy} onChange={text((v) => set({ ...f, policy: v }))}>
            {(['factory', 'postManufacture'] as const).map((x) => (
              <option key={x} value={x}>
                {t(`vendor.policy.${x}`)}
              </option>
            ))}
          </select>
        </Field>
      </div>
      <Field label="vendor.fingerprints" help={help('/fingerprints/0', t('vendor.fingerprintsHelp'))}>
        <textarea name="fingerprints" rows={2} spellcheck={false} value={f.fingerprints} onInput={text((v) => set({ ...f, fingerprints: v }))} />
      </Field>
      <Act label="vendor.new" type="submit" kind="primary" disabled={f.name === '' || f.pen === ''} do={add} />
    </form>
  )
}
