import { t, word } from '../../text/index.ts'
import type { AuditRecord } from '../../types.ts'
import { D } from '../../part/basics.tsx'

type Change = NonNullable<AuditRecord['changes']>[number]
const shownAtOnce = 2

const said = (path: string, v: Change['before']): string => (v === null ? '–' : path === '' || path === 'state' ? word('state', String(v)) : String(v))

function One({ of: c }: { of: Change }) {
  return (
    <li translate={false}>
      {c.path !== '' && <span class="soft">{c.path}: </span>}
      {c.before !== null && <del>{said(c.path, c.before)}</del>}
      {c.before !== null && ' → '}
      {c.after === null && c.before !== null ? '–' : c.after !== null && <ins>{said(c.path, c.after)}</ins>}
    </li>
  )
}

/** Before and after of one record, member by member; the rest on demand (UX-051). */
export function ChangeOf({ of: r }: { of: AuditRecord }) {
  const changes = r.changes ?? [], first = changes.slice(0, shownAtOnce), rest = changes.slice(shownAtOnce)
  return (
    <div class="change" data-changes={changes.length}>
      {r.intact === false && <p class="problem">{t('audit.forged')}</p>}
      {changes.length === 0 && <span class="soft">{t(r.before === '' && r.after === '' ? 'audit.noChange' : 'audit.notKept')}</span>}
      <ul>{first.map((c) => <One key={c.path} of={c} />)}</ul>
      {rest.length > 0 && (
        <details>
          <summary>{t('audit.more', { n: rest.length })}</summary>
          <ul>{rest.map((c) => <One key={c.path} of={c} />)}</ul>
        </details>
      )}
    </div>
  )
}

/** The same as text, for export and search. */
export const changeText = (r: AuditRecord): string => (r.changes ?? []).map((c) => `${c.path === '' ? '' : `${c.path}: `}${c.before ?? '–'} → ${c.after ?? '–'}`).join('; ')
