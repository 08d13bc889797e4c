import { count } from '../format.ts'
import { setSearch, usePlace } from '../route.ts'
import { t, word } from '../text/index.ts'
import { download } from './basics.tsx'
import { csvText } from './csv.ts'
import type { Column, TableProps } from './table.tsx'

interface ToolsProps<R> extends TableProps<R> {
  readonly found: readonly R[]
  readonly shown: readonly Column<R>[]
}

/** Search, filters, columns and export above a list. What is exported is what is shown, filters and order included (UX-050). */
export function Tools<R>(props: ToolsProps<R>) {
  const { name, rows, columns, found, shown, filters = [] } = props,
    { search } = usePlace(),
    put = (key: string, value: string | null): void => setSearch({ [`${name}.${key}`]: value })
  const exported = shown.filter((c) => c.value),
    records = (): Record<string, unknown>[] => found.map((r) => Object.fromEntries(exported.map((c) => [c.id, c.value!(r) ?? null])))
  const csv = (): string => csvText([exported.map((c) => c.id), ...records().map((r) => exported.map((c) => r[c.id]))])
  const turned = (c: Column<R>): string => columns.filter((x) => (x === c) !== shown.includes(x)).map((x) => x.id).join(',')
  return (
    <div class="row tools noprint">
      <label class="inline">
        {t('common.search')} <input type="search" value={search.get(`${name}.q`) ?? ''} onInput={(e) => put('q', e.currentTarget.value)} />
      </label>
      {filters.map((f) => {
        const values = [...new Set(rows.map(f.value).filter((v): v is string => !!v))].sort(),
          now = search.get(`${name}.${f.id}`) ?? ''
        return (
          (values.length > 1 || now) && (
            <label class="inline" key={f.id}>
              {t(f.title)}{' '}
              <select value={now} onChange={(e) => put(f.id, e.currentTarget.value)}>
                <option value="">{t('common.any')}</option>
                {values.map((v) => (
                  <option key={v} value={v} translate={false}>
                    {word(f.group ?? 'state', v)}
                  </option>
                ))}
              </select>
            </label>
          )
        )
      })}
      <span class="grow" />
      <span class="soft" role="status">
        {t('common.of', { n: count(found.length), total: count(rows.length) })}
      </span>
      <details class="menu">
        <summary>{t('common.columns')}</summary>
        <div>
          {columns.map((c) => (
            <label key={c.id}>
              <input type="checkbox" checked={shown.includes(c)} disabled={shown.length === 1 && shown[0] === c} onChange={() => put('cols', turned(c))} /> {t(c.title)}
            </label>
          ))}
        </div>
      </details>
      <details class="menu" data-menu="export">
        <summary>{t('common.export')}</summary>
        <div>
          <button type="button" class="small" onClick={() => download(`${name}.csv`, 'text/csv', csv())}>
            {t('common.exportCsv')}
          </button>
          <button type="button" class="small" onClick={() => download(`${name}.json`, 'application/json', JSON.stringify(records(), null, 2))}>
            {t('common.exportJson')}
          </button>
        </div>
      </details>
      {props.more}
    </div>
  )
}
