import { Fragment } from 'preact'
import { setSearch, usePlace } from '../route.ts'
import { t } from '../text/index.ts'
import { D } from './basics.tsx'
import type { Column, TableProps } from './table.tsx'

interface RowsProps<R> extends TableProps<R> {
  readonly page: readonly R[]
  readonly shown: readonly Column<R>[]
  readonly look: (column: Column<R>) => string
}

/** The rows of a list; one that can be opened shows the rest of what is known below itself. */
export function Rows<R>({ name, page, shown, look, rowKey, rowState, detail }: RowsProps<R>) {
  const { search } = usePlace(),
    open = search.get(`${name}.open`)
  return (
    <tbody>
      {page.map((r) => {
        const key = rowKey(r)
        return (
          <Fragment key={key}>
            <tr data-row={key} class={rowState?.(r) ?? ''}>
              {detail && (
                <td class="turn">
                  <button
                    type="button"
                    class="small"
                    aria-label={t('common.details')}
                    title={t('common.details')}
                    aria-expanded={open === key}
                    onClick={() => setSearch({ [`${name}.open`]: open === key ? null : key })}
                  >
                    <span aria-hidden="true">{open === key ? '▾' : '▸'}</span>
                  </button>
                </td>
              )}
              {shown.map((c) => {
                const v = c.cell(r)
                return (
                  <td key={c.id} data-col={c.id} class={look(c)}>
                    {typeof v === 'string' || typeof v === 'number' ? <D>{v}</D> : v}
                  </td>
                )
              })}
            </tr>
            {detail && open === key && (
              <tr class="opened" data-detail={key}>
                <td colSpan={shown.length + 1}>{detail(r)}</td>
              </tr>
            )}
          </Fragment>
        )
      })}
    </tbody>
  )
}
