import { useState } from 'preact/hooks'
import { post } from '../../api.ts'
import { zone } from '../../session.ts'
import { t } from '../../text/index.ts'
import { Act, D, Facts, Field, text, Time } from '../../part/basics.tsx'

interface Described {
  subject: string
  key: string
  hwType: string | null
  hwSerialNum: string | null
}
interface Explanation {
  verdict: 'accepted' | 'refused'
  lfdi?: string
  request?: Described
  certificate?: Described & { issuer: string; notBefore: string; notAfter: string; policies: string[] }
  failures: { rule: string; clause: string; sentence: string; remedy: string }[]
}

const explain = (certificate: string): Promise<Explanation> => post<Explanation>('/certificates/explain', { certificate })

/** Why a certificate is refused, asked by pasting it: the server's own rules answer (SEP-211). */
export function Explain() {
  const [pem, set] = useState(''),
    [found, setFound] = useState<Explanation>()
  return (
    <details class="card" data-explain>
      <summary>{t('cert.explain')}</summary>
      <form onSubmit={(e) => e.preventDefault()}>
        <Field label="cert.explainHelp">
          <textarea
            name="pem"
            rows={5}
            spellcheck={false}
            value={pem}
            onInput={text((v) => {
              set(v)
              setFound(undefined)
            })}
          />
        </Field>
        <Act label="cert.explainDo" type="submit" kind="primary" disabled={pem.trim() === ''} do={async () => setFound(await explain(pem))} />
        <div aria-live="polite">{found && <Explained of={found} />}</div>
      </form>
    </details>
  )
}

/** What a request that waits asks for, and whether it is a good one. */
export function ExplainRequest({ csr }: { csr: string }) {
  const [found, setFound] = useState<Explanation>()
  return found ? <Explained of={found} /> : <Act label="vendor.look" do={async () => setFound(await explain(csr))} />
}

function Explained({ of: { verdict, lfdi, request, certificate: c, failures } }: { of: Explanation }) {
  const good = verdict === 'accepted',
    of = c ?? request
  return (
    <div data-verdict={verdict}>
      <p>
        <span class={`state ${good ? 'good' : 'bad'}`}>
          <span aria-hidden="true">{good ? '✓' : '✗'}</span>
        </span>{' '}
        <strong>{t(`cert.${request ? 'request.' : ''}${verdict}`, { n: failures.length })}</strong>
      </p>
      {failures.map((f) => (
        <dl class="explain failure" key={f.rule + f.sentence} data-rule={f.rule}>
          {(['found', 'remedy', 'rule', 'clause'] as const).map((what) => (
            <div key={what}>
              <dt>{t(`cert.${what}`)}</dt>
              <dd translate={false}>{{ found: f.sentence, remedy: f.remedy, rule: f.rule, clause: f.clause }[what]}</dd>
            </div>
          ))}
        </dl>
      ))}
      {of && (
        <Facts
          of={[
            lfdi !== undefined && ['cert.lfdi', lfdi],
            ['cert.hardware', of.hwSerialNum === null ? <span>{t('cert.nothing')}</span> : `${of.hwSerialNum} (${of.hwType})`],
            ['cert.subject', of.subject],
            c && ['cert.issuer', c.issuer],
            c && [
              'cert.validity',
              <>
                <Time at={c.notBefore} in={zone()} style="day" /> <D>–</D>{' '}
                {c.notAfter.startsWith('9999-') ? <span>{t('cert.forever')}</span> : <Time at={c.notAfter} in={zone()} style="day" />}
              </>,
            ],
            ['cert.key', of.key],
            c && ['cert.policies', c.policies.length > 0 ? c.policies.join(', ') : <span>{t('cert.nothing')}</span>],
          ]}
        />
      )}
    </div>
  )
}
