import { useState } from 'preact/hooks'
import { post } from '../../api.ts'
import { t } from '../../text/index.ts'
import { Act } from '../../part/basics.tsx'
import { Dialog } from '../../part/dialog.tsx'
import type { Certificate } from './certificate.ts'

export function Revoke({ c, reload }: { c: Certificate; reload: () => void }) {
  const [open, set] = useState(false)
  return (
    <>
      <button type="button" onClick={() => set(true)}>
        {t('cert.revoke')}
      </button>
      {open && (
        <Dialog title={t('cert.revoke')} onClose={() => set(false)}>
          <p>{t('cert.revokeSure')}</p>
          <p translate={false}>{c.hwSerialNum}</p>
          <div class="row end">
            <button type="button" autofocus onClick={() => set(false)}>
              {t('common.close')}
            </button>
            <Act
              label="cert.revoke"
              kind="danger"
              do={async () => {
                await post(`/certificates/${c.id}/revoke`, {})
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
