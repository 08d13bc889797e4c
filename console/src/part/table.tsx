import type { ComponentChildren } from 'preact'
import { setSearch, usePlace } from '../route.ts'
import { t, type Key } from '../text/index.ts'
import { ordered } from './order.ts'
import { usePrinting } from './print.tsx'
import { Rows } from './table-rows.tsx'
import { Tools } from './table-tools.tsx'

export interface Column<R> {
  readonly id: string
  readonly title: Key
  readonly num?: boolean
  readonly cell: (row: R) => ComponentChildren
  /** What is sorted by and exported; without it the column does neither. */
  readonly value?: (row: R) => string | number | null | undefined
  /** Left out until asked for. */
  readonly hidden?: boolean
  /** Left out on a phone unless its columns were chosen. */
  readonly wide?: boolean
}

export interface Filter<R> {
  readonly id: string
  readonly title: Key
  readonly value: (row: R) => string | null | undefined
  readonly group?: string
}

export interface TableProps<R> {
  /** Prefix of this table's words in the URL. */
  readonly name: string
  readonly rows: readonly R[]
  readonly columns: readonly Column<R>[]
  readonly rowKey: (row: R) => string
  readonly empty: Key
  readonly search?: (row: R) => string
  readonly filters?: readonly Filter<R>[]
  readonly sort?: string
  readonly caption: Key
  readonly more?: ComponentChildren
  readonly rowState?: (row: R) => string | undefined
  readonly step?: number
  /** What a row opens to, below itself: one at a time, in the URL. */
  readonly detail?: (row: R) => ComponentChildren
}

/** What the URL asks for: search, filters, order. Also used by pages that show the same rows another way, as the map does. */
export function chosen<R>(
  { name, rows, search, filters = [] }: Pick<TableProps<R>, 'name' | 'rows' | 'search' | 'filters'>,
  at: URLSearchParams,
): R[] {
  const q = (at.get(`${name}.q`) ?? '').toLowerCase().trim()
  const wanted = filters.map((f) => [f, at.get(`${name}.${f.id}`)] as const).filter(([, v]) => v)
  return rows.filter((r) => (q === '' || search?.(r).toLowerCase().includes(q)) && wanted.every(([f, v]) => f.value(r) === v))
}

const Arrow = ({ dir }: { dir: string }) => (
  <span aria-hidden="true" class="arrow">
    {dir === 'ascending' ? '▲' : dir === 'descending' ? '▼' : ''}
  </span>
)

/** What a list is searched by unless it says better: everything that it shows as text. */
const everythingOf =
  <R,>(columns: readonly Column<R>[]) =>
  (row: R): string =>
    columns.map((c) => c.value?.(row) ?? '').join(' ')

/** Every list: search, filters and order in the URL, columns, export of what is shown, an empty state that says what to do (UX-050). */
export function Table<R>(props: TableProps<R>) {
  const { name, rows, columns, empty, filters = [], caption, step = 100 } = props
  const { search } = usePlace(),
    put = (key: string, value: string | null): void => setSearch({ [`${name}.${key}`]: value }),
    find = props.search ?? everythingOf(columns)
  const sort = search.get(`${name}.sort`) ?? props.sort ?? '',
    shownIds = search.get(`${name}.cols`)?.split(','),
    limit = usePrinting() ? Infinity : Number(search.get(`${name}.n`) ?? step)
  const found = ordered(chosen({ ...props, search: find }, search), columns, sort),
    shown = columns.filter((c) => (shownIds ? shownIds.includes(c.id) : !c.hidden)),
    page = found.slice(0, limit),
    look = (c: Column<R>): string => [c.num ? 'num' : '', c.wide && !shownIds ? 'wide' : ''].join(' ').trim()
  if (rows.length === 0) return <p class="empty card">{t(empty)}</p>
  return (
    <section class="table" aria-label={t(caption)} data-table={name}>
      <Tools {...props} search={find} found={found} shown={shown} />
      {found.length === 0 ? (
        <p class="empty card">
          {t('common.nothing')}{' '}
          <button type="button" onClick={() => setSearch(Object.fromEntries(['q', ...filters.map((f) => f.id)].map((k) => [`${name}.${k}`, null])))}>
            {t('common.clear')}
          </button>
        </p>
      ) : (
        <div class="scroll" tabIndex={0} role="region" aria-label={t(caption)}>
          <table>
            <caption class="hide">{t(caption)}</caption>
            <thead>
              <tr>
                {props.detail && (
                  <th scope="col">
                    <span class="hide">{t('common.details')}</span>
                  </th>
                )}
                {shown.map((c) => {
                  const dir = sort === c.id ? 'ascending' : sort === `-${c.id}` ? 'descending' : 'none'
                  return (
                    <th key={c.id} scope="col" class={look(c)} aria-sort={c.value ? dir : undefined}>
                      {c.value ? (
                        <button
                          type="button"
                          title={t('common.sortBy', { column: t(c.title) })}
                          onClick={() => put('sort', dir === 'descending' ? c.id : dir === 'ascending' ? `-${c.id}` : c.num ? `-${c.id}` : c.id)}
                        >
                          {c.num && <Arrow dir={dir} />}
                          {t(c.title)}
                          {!c.num && <Arrow dir={dir} />}
                        </button>
                      ) : (
                        t(c.title)
                      )}
                    </th>
                  )
                })}
              </tr>
            </thead>
            <Rows {...props} page={page} shown={shown} look={look} />
          </table>
        </div>
      )}
      {found.length > limit && (
        <p class="row">
          <button type="button" onClick={() => put('n', String(limit + step))}>
            {t('common.more', { n: Math.min(step, found.length - limit) })}
          </button>
        </p>
      )}
    </section>
  )
}
