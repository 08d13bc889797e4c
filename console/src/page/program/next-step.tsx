import { useState } from 'preact/hooks'
import { post } from '../../api.ts'
import { t } from '../../text/index.ts'
import type { Enrolment } from '../../types.ts'
import { Act, Field, text } from '../../part/basics.tsx'
import { Dialog } from '../../part/dialog.tsx'
import { harsh, nextSteps, rest, type Step } from './steps.ts'

interface Props {
  readonly e: Enrolment
  readonly name: string
  readonly reload: () => void
}

/** What can be done with an enrolment now, each with what it means. */
export function NextStep(props: Props) {
  const { e } = props,
    steps = nextSteps[e.state] ?? [],
    all = rest(e.state)
  if (steps.length === 0) return <span class="soft">{t('enrol.noNext')}</span>
  return (
    <details>
      <summary>{t('enrol.next')}</summary>
      <ul class="trouble">
        {all.length > 0 && (
          <li>
            <Act label="enrol.allSteps" kind="primary" do={() => walk(props, all)} />
            <p class="soft">{t('enrol.means.allSteps')}</p>
          </li>
        )}
        {steps.map((to) => (
          <li key={to}>
            {harsh.has(to) ? <Harsh {...props} to={to} /> : <Act label={`enrol.to.${to}`} do={() => walk(props, [to])} />}
            <p class="soft">{t(`enrol.means.${to}`)}</p>
          </li>
        ))}
      </ul>
    </details>
  )
}

/** A step that fails ends the walk; those before it stand, and are shown. */
async function walk({ e, reload }: Props, steps: readonly Step[], reason?: string): Promise<void> {
  try {
    for (const to of steps) await post(`/enrolments/${e.id}/transitions`, { to, ...(reason ? { reason } : {}) })
  } finally {
    reload()
  }
}

function Harsh({ to, ...props }: Props & { to: Step }) {
  const [open, set] = useState(false),
    [reason, setReason] = useState('')
  return (
    <>
      <button type="button" onClick={() => set(true)}>
        {t(`enrol.to.${to}`)}
      </button>
      {open && (
        <Dialog title={t(`enrol.sure.${to as 'withdrawn'}`, { name: props.name })} onClose={() => set(false)}>
          <p>{t(`enrol.means.${to}`)}</p>
          <Field label="common.reason">
            <input name="step-reason" value={reason} maxLength={2000} onInput={text(setReason)} />
          </Field>
          <div class="row end">
            <button type="button" onClick={() => set(false)}>
              {t('common.close')}
            </button>
            <Act
              label={`enrol.to.${to}`}
              kind="danger"
              do={async () => {
                await walk(props, [to], reason)
                set(false)
              }}
            />
          </div>
        </Dialog>
      )}
    </>
  )
}
