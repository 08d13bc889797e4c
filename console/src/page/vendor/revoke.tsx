import { useState } from 'preact/hooks'
import { post } from '../../api.ts'
import { t } from '../../text/index.ts'
import { Act, Field, text } from '../../part/basics.tsx'
import { Dialog } from '../../part/dialog.tsx'
import type { Certificate } from './certificate.ts'

const reasons = ['unspecified', 'keyCompromise', 'affiliationChanged', 'superseded', 'cessationOfOperation'] as const

export function Revoke({ c, reload }: { c: Certificate; reload: () => void }) {
  const [open, set] = useState(false),
    [reason, setReason] = useState<string>('unspecified')
  return (
    <>
      <button type="button" class="small" onClick={() => set(true)}>
        {t('cert.revoke')}
      </button>
      {open && (
        <Dialog title={t('cert.revoke')} onClose={() => set(false)}>
          <p>{t('cert.revokeSure')}</p>
          <p translate={false}>{c.hwSerialNum}</p>
          <Field label="common.reason">
            <select name="revoke-reason" value={reason} onChange={text(setReason)}>
              {reasons.map((r) => (
                <option key={r} value={r}>
                  {t(`revokeReason.${r}`)}
                </option>
              ))}
            </select>
          </Field>
          <div class="row end">
            <button type="button" autofocus onClick={() => set(false)}>
              {t('common.close')}
            </button>
            <Act
              label="cert.revoke"
              kind="danger"
              do={async () => {
                await post(`/certificates/${c.id}/revoke`, { reason })
                set(false)
                reload()
              }}
            />
          </div>
        </Dialog>
      )}
    </>
  )
}
