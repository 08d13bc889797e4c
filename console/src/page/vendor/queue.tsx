import { useState } from 'preact/hooks'
import { post } from '../../api.ts'
import { may } from '../../session.ts'
import { t } from '../../text/index.ts'
import { Act, D, Field, text } from '../../part/basics.tsx'
import { Dialog } from '../../part/dialog.tsx'
import type { Waiting } from './certificate.ts'
import { ExplainRequest } from './explain.tsx'

type Decision = 'approve' | 'reject'

/** `secret:SN1`, `vendor:acme`, `device:3E4F…` in words. */
function asks(requester: string): string {
  const [kind, ...name] = requester.split(':'),
    values = { name: name.join(':') }
  return kind === 'secret' || kind === 'vendor' || kind === 'device' ? t(`vendor.asks.${kind}`, values) : requester
}

/** First requests of devices whose maker is approved by hand (SEP-226). */
export function Queue({ waiting, reload }: { waiting: readonly Waiting[]; reload: () => void }) {
  const [said, say] = useState<{ name: string; decision: Decision }>()
  const decide = async (w: Waiting, decision: Decision, reason?: string): Promise<void> => {
    await post(`/enrolment-requests/${encodeURIComponent(w.vendor)}/${encodeURIComponent(w.hwSerialNum)}/decision`, { decision, ...(reason ? { reason } : {}) })
    say({ name: w.hwSerialNum, decision })
    reload()
  }
  return (
    <section class="card" data-queue>
      <h2>{t('vendor.queue')}</h2>
      {said && <p role="status">{t(`vendor.decided.${said.decision}`, { name: said.name })}</p>}
      {waiting.length === 0 ? (
        <p>{t('vendor.queueEmpty')}</p>
      ) : (
        <>
          <p class="soft">{t('vendor.queueHelp')}</p>
          <ul class="trouble">
            {waiting.map((w) => (
              <li key={w.id} data-waits={w.id}>
                <p class="row">
                  <strong translate={false}>
                    {w.vendor} · {w.hwSerialNum}
                  </strong>
                  <span>{asks(w.requester)}</span>
                  <span class="soft">
                    {t('vendor.type')} <D>{w.hwType}</D>
                  </span>
                </p>
                {w.csr && <ExplainRequest csr={w.csr} />}
                {may('admin', 'caOfficer') && (
                  <div class="row">
                    <Act label="vendor.approve" kind="primary" do={() => decide(w, 'approve')} />
                    <Reject do={(reason) => decide(w, 'reject', reason)} name={w.hwSerialNum} />
                  </div>
                )}
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  )
}

function Reject({ do: reject, name }: { do: (reason: string) => Promise<void>; name: string }) {
  const [open, set] = useState(false),
    [reason, setReason] = useState('')
  return (
    <>
      <button type="button" onClick={() => set(true)}>
        {t('vendor.reject')}
      </button>
      {open && (
        <Dialog title={t('vendor.rejectSure')} onClose={() => set(false)}>
          <p translate={false}>{name}</p>
          <p>{t('vendor.rejectHelp')}</p>
          <Field label="common.reason">
            <input name="reject-reason" value={reason} maxLength={2000} onInput={text(setReason)} />
          </Field>
          <div class="row end">
            <button type="button" onClick={() => set(false)}>
              {t('common.close')}
            </button>
            <Act label="vendor.reject" kind="danger" do={() => reject(reason)} />
          </div>
        </Dialog>
      )}
    </>
  )
}
