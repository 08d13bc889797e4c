import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { ApiError } from '../api.ts'
import { ageOf, utc, when, type Style } from '../format.ts'
import { useGone, type Loaded } from '../live.ts'
import { useTick, zone } from '../session.ts'
import { t, word, type Key } from '../text/index.ts'
import { usePrinting } from './print.tsx'

/** Names, numbers and words of the API: not in the catalogue, and not for a translator. */
export const D = ({ children, class: c }: { children: ComponentChildren; class?: string }) => (
  <span translate={false} {...(c ? { class: c } : {})}>
    {children}
  </span>
)

export function Age({ at, label = 'age.label' }: { at: string | null | undefined; label?: Key }) {
  useTick(1000)
  // an age means nothing on paper
  const paper = usePrinting()
  return (
    <span class="age" title={at ? utc(at) : ''}>
      {t(label, { age: paper && at ? utc(at) : ageOf(at) })}
    </span>
  )
}

export const Time = ({ at, in: z = zone(), style = 'full' }: { at: string | number | null | undefined; in?: string; style?: Style }) =>
  at ? (
    <time dateTime={new Date(at).toISOString()} title={`${utc(at)} · ${z}`} translate={false}>
      {when(at, z, style)}
    </time>
  ) : (
    <span translate={false}>–</span>
  )

const good = new Set([
  'active',
  'settled',
  'verified',
  'completed',
  'started',
  'accepted',
  'online',
  'issued',
  'approved',
  'open',
  'OK',
  'valid',
  'delivered',
  'PASSED',
  'optedIn',
])
const warn = new Set([
  'pendingRelease',
  'partial',
  'suspended',
  'optedOut',
  'superseded',
  'INSUFFICIENT_DATA',
  'waiting',
  'pending',
  'underReview',
  'opened',
  'expiring',
  'WARNING',
  'PARTIAL',
  'calculated',
])
const bad = new Set(['locked', 'noComms', 'rejected', 'failed', 'revoked', 'cancelled', 'expired', 'offline', 'disabled', 'FAILED', 'ERROR', 'refused'])

export function State({ of, group = 'state' }: { of: string | null | undefined; group?: string }) {
  const value = of ?? 'none'
  const [kind, sign] = good.has(value) ? ['good', '✓'] : warn.has(value) ? ['warn', '!'] : bad.has(value) ? ['bad', '✗'] : ['idle', '·']
  return (
    <span class={`state ${kind}`} data-state={value}>
      <span aria-hidden="true">{sign}</span>
      {word(group, value)}
    </span>
  )
}

export function Failure({ error, retry, of = 'common.failed' }: { error: Error; retry?: () => void; of?: 'common.failed' | 'common.notDone' }) {
  const p = error instanceof ApiError ? error.problem : undefined
  const rows = p?.rows ?? p?.faults ?? []
  return (
    <div class="problem" role="alert">
      <strong>{t(of, { why: '' }).replace(/[:\s]+(⟧?)$/, '$1')}</strong> <D>{error.message}</D>
      {(p?.checks?.length ?? 0) > 0 && (
        <ul>
          {p!.checks!.map((c) => (
            <li key={c.check + c.detail}>
              <D>
                <b>{c.check}</b> {c.detail}
              </D>
            </li>
          ))}
        </ul>
      )}
      {rows.length > 0 && !p?.checks?.length && (
        <ul>
          {rows.slice(0, 50).map((f, i) => (
            <li key={i}>
              <D>
                {'row' in f && f.row !== undefined ? `${f.row} · ` : ''}
                {f.field ?? ('path' in f ? f.path : '')} {f.reason}
              </D>
            </li>
          ))}
        </ul>
      )}
      {retry && (
        <p>
          <button type="button" onClick={retry}>
            {t('common.retry')}
          </button>
        </p>
      )}
    </div>
  )
}

/** A loaded value, or why there is none. */
export function Await<T>({ of, children }: { of: Loaded<T>; children: (data: T) => ComponentChildren }) {
  if (of.data !== undefined) return <>{children(of.data)}</>
  if (of.error) return <Failure error={of.error} retry={of.reload} />
  return <Loading />
}

export const Loading = () => (
  <p class="empty" role="status" data-loading>
    {t('common.loading')}
  </p>
)

/** A button that does something on the server: busy while it runs (it keeps the focus, and a second press does nothing), dead while the server is gone, tells what went wrong. */
export function Act({
  do: act,
  label,
  values,
  kind,
  disabled,
  type = 'button',
}: {
  do: () => Promise<unknown>
  label: Key
  values?: Record<string, string | number>
  kind?: 'primary' | 'danger'
  disabled?: boolean
  type?: 'button' | 'submit'
}) {
  const gone = useGone(),
    [busy, setBusy] = useState(false),
    [error, setError] = useState<Error>()
  const run = async (): Promise<void> => {
    if (busy) return
    setBusy(true)
    setError(undefined)
    try {
      await act()
    } catch (e) {
      setError(e as Error)
    }
    setBusy(false)
  }
  return (
    <>
      <button
        type={type}
        class={kind ?? ''}
        disabled={disabled || gone !== null}
        aria-busy={busy}
        aria-disabled={busy}
        title={gone === null ? '' : t('gone.short')}
        onClick={() => void run()}
      >
        {t(label, values)}
      </button>
      {error && <Failure error={error} of="common.notDone" />}
    </>
  )
}

export const Field = ({
  label,
  values,
  help,
  children,
}: {
  label: Key
  values?: Record<string, string | number>
  help?: ComponentChildren
  children: ComponentChildren
}) => (
  <label>
    {t(label, values)}
    {children}
    {help ? <span class="soft">{help}</span> : null}
  </label>
)

export const Facts = ({ of }: { of: readonly (readonly [Key, ComponentChildren] | false | undefined)[] }) => (
  <dl class="facts">
    {of
      .filter((x): x is readonly [Key, ComponentChildren] => !!x)
      .map(([key, value]) => (
        <>
          <dt>{t(key)}</dt>
          <dd>{typeof value === 'string' || typeof value === 'number' ? <D>{value}</D> : value}</dd>
        </>
      ))}
  </dl>
)

export function Figure({ label, value, children, href }: { label: Key; value: string; children?: ComponentChildren; href?: string }) {
  const [amount, ...unit] = value.split(/\s/)
  return (
    <div class="card">
      <h2 class="label">{href ? <a href={href}>{t(label)}</a> : t(label)}</h2>
      <div class="figure" data-figure={label} translate={false}>
        {amount} <span class="unit">{unit.join(' ')}</span>
      </div>
      {children}
    </div>
  )
}

/** What is shown, as a file: made in the page, so that it holds exactly what is shown. */
export function download(name: string, type: string, content: string | Blob): void {
  const url = URL.createObjectURL(new Blob([content], { type }))
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(url), 1000)
}

export function Secret({ of }: { of: string }) {
  const [done, set] = useState(false)
  return (
    <div class="secret">
      <p>{t('common.once')}</p>
      <pre translate={false}>{of}</pre>
      <button
        type="button"
        onClick={() => {
          void navigator.clipboard?.writeText(of).then(() => set(true))
        }}
      >
        {t(done ? 'common.copied' : 'common.copy')}
      </button>
    </div>
  )
}

export const text =
  (f: (value: string) => void) =>
  (e: { currentTarget: { value: string } }): void =>
    f(e.currentTarget.value)
