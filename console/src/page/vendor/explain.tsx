import { useState } from 'preact/hooks'
import { post } from '../../api.ts'
import { t } from '../../text/index.ts'
import { Act, D, Field, text } from '../../part/basics.tsx'

interface Explanation {
  verdict: string
  lfdi?: string
  certificate?: Record<string, unknown>
  failures: Record<string, string>[]
}

export function Explain() {
  const [pem, set] = useState(''),
    [found, setFound] = useState<Explanation>()
  return (
    <details class="card">
      <summary>{t('cert.explain')}</summary>
      <form onSubmit={(e) => e.preventDefault()}>
        <Field label="cert.explainHelp">
          <textarea name="pem" rows={5} value={pem} onInput={text(set)} />
        </Field>
        <Act
          label="cert.explainDo"
          type="submit"
          kind="primary"
          disabled={pem.trim() === ''}
          do={async () => setFound(await post<Explanation>('/certificates/explain', { certificate: pem }))}
        />
        {found && (
          <div aria-live="polite">
            <p>
              <strong>{t(found.verdict === 'accepted' ? 'cert.accepted' : 'cert.refused')}</strong> {found.lfdi && <D>{found.lfdi}</D>}
            </p>
            <ul translate={false}>
              {found.failures.map((f, i) => (
                <li key={i}>{Object.values(f).join(' · ')}</li>
              ))}
            </ul>
          </div>
        )}
      </form>
    </details>
  )
}
