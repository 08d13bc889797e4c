import { useState } from 'preact/hooks'
import { post } from '../../api.ts'
import { may } from '../../session.ts'
import { t } from '../../text/index.ts'
import type { Dispatch } from '../../types.ts'
import { Act } from '../../part/basics.tsx'
import { Dialog } from '../../part/dialog.tsx'
import { cancellable } from './everything.ts'

/** Whatever else has happened to the order meanwhile, taking it back is meant: no version is asked for. */
export function Cancel({ d, reload }: { d: Dispatch; reload: () => void }) {
  const [sure, setSure] = useState(false)
  if (!may('admin', 'operator', 'dispatcher') || !cancellable.has(d.state)) return null
  return (
    <div class="cancel">
      <button type="button" class="danger" onClick={() => setSure(true)}>
        {t('dispatch.cancel')}
      </button>
      {sure && (
        <Dialog title={t('dispatch.cancel')} onClose={() => setSure(false)}>
          <p>{t('dispatch.cancelSure')}</p>
          <div class="row end">
            <button type="button" autofocus onClick={() => setSure(false)}>
              {t('dispatch.keep')}
            </button>
            <Act
              kind="danger"
              label="dispatch.cancel"
              do={async () => {
                await post(`/dispatches/${d.id}/cancel`, { reason: 'console' })
                setSure(false)
                reload()
              }}
            />
          </div>
        </Dialog>
      )}
    </div>
  )
}
