import { useState } from 'preact/hooks'
import { post } from '../../api.ts'
import { may } from '../../session.ts'
import { t } from '../../text/index.ts'
import { Act } from '../../part/basics.tsx'
import { Dialog } from '../../part/dialog.tsx'

export function StopDevice({ id, reload }: { id: string; reload: () => void }) {
  const [open, set] = useState(false)
  if (!may('admin', 'operator', 'dispatcher', 'dso')) return null
  return (
    <>
      <button type="button" onClick={() => set(true)}>
        {t('device.stop')}
      </button>
      {open && (
        <Dialog title={t('device.stop')} onClose={() => set(false)}>
          <p>{t('device.stopSure')}</p>
          <div class="row end">
            <button type="button" autofocus onClick={() => set(false)}>
              {t('common.close')}
            </button>
            <Act
              kind="danger"
              label="device.stop"
              do={async () => {
                await post('/stop', { resource: id })
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
