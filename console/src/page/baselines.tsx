import { useState } from 'preact/hooks'
import { all, ApiError, get, post, type List } from '../api.ts'
import { fieldsOf, percent } from '../format.ts'
import { useLoad } from '../live.ts'
import { setSearch, usePlace } from '../route.ts'
import { serverNow } from '../session.ts'
import { t } from '../text/index.ts'
import type { Dispatch, Program } from '../types.ts'
import { Act, Await, Field, text } from '../part/basics.tsx'
import { Table } from '../part/table.tsx'

interface Result {
  method: string
  rrmse: number | null
  bias: number | null
  intervals: number
  eligible: boolean
  why?: string
}

/** Methods side by side on past days without an event, bias and spread shown, before one is chosen (UX-063). */
export function Baselines() {
  const base = useLoad(async () => {
    const [methods, programs, dispatches] = await Promise.all([
      get<List<{ name: string }>>('/baselines'),
      all<Program>('/programs'),
      all<Dispatch>('/dispatches'),
    ])
    return { methods: methods.items.map((m) => m.name), programs, dispatches }
  }, [])
  return (
    <>
      <h1>{t('compare.title')}</h1>
      <p class="explain">{t('compare.help')}</p>
      <Await of={base}>{(b) => (b.programs.length === 0 ? <p class="card empty">{t('program.none')}</p> : <Compare {...b} />)}</Await>
    </>
  )
}

/** Business days before today on which no event of the program ran. */
function quietDays(program: Program, dispatches: Dispatch[], n: number): string[] {
  const busy = new Set(
      dispatches
        .filter((d) => d.program === program.id && d.state !== 'cancelled' && d.state !== 'rejected')
        .map((d) => fieldsOf(Date.parse(d.start), program.timeZone).day),
    ),
    days: string[] = []
  for (let i = 1; days.length < n && i < 40; i++) {
    const ms = serverNow() - i * 86_400_000,
      { day } = fieldsOf(ms, program.timeZone),
      weekday = new Date(`${day}T12:00:00Z`).getUTCDay()
    if (weekday !== 0 && weekday !== 6 && !busy.has(day)) days.push(day)
  }
  return days
}

function Compare({ methods, programs, dispatches }: { methods: string[]; programs: Program[]; dispatches: Dispatch[] }) {
  const { search } = usePlace(),
    program = programs.find((p) => p.id === search.get('program')) ?? programs[0]!,
    from = Number(search.get('from') ?? 16),
    to = Number(search.get('to') ?? 18),
    n = Number(search.get('days') ?? 3)
  const usual = [program.baseline.method, 'NYISO_CBL', 'PJM_3DA', 'HIGH_5_OF_10', 'ERCOT_MID_8_10'].filter(
      (m, i, list) => methods.includes(m) && list.indexOf(m) === i,
    ),
    first = usual.length > 2 ? usual : [...new Set([...usual, ...methods])].slice(0, 5)
  const [chosen, choose] = useState<string[]>(first),
    [results, set] = useState<Result[]>([])
  const compare = async (): Promise<void> => {
    set([])
    const days = quietDays(program, dispatches, n)
    for (const method of chosen) {
      const found = await post<Result & { days: { status: string; reasons: string[] }[] }>('/baselines/backtest', {
        program: program.id,
        method,
        days,
        fromHour: from,
        toHour: to,
      }).then(
        (r): Result => ({ ...r, ...(r.rrmse === null ? { why: r.days.flatMap((d) => d.reasons)[0] ?? '–' } : {}) }),
        (error: unknown): Result => {
          if (error instanceof ApiError && error.problem.status > 0)
            return { method, rrmse: null, bias: null, intervals: 0, eligible: false, why: error.message }
          throw error
        },
      )
      set((r) => [...r, { ...found, method }])
    }
  }
  return (
    <>
      <form class="card" onSubmit={(e) => e.preventDefault()}>
        <div class="form">
          <Field label="new.program">
            <select name="program" value={program.id} onChange={text((v) => setSearch({ program: v }))}>
              {programs.map((p) => (
                <option key={p.id} value={p.id} translate={false}>
                  {p.name}
                </option>
              ))}
            </select>
          </Field>
          <Field label="compare.from">
            <input name="from" type="number" min="0" max="23" value={from} onInput={text((v) => setSearch({ from: v }))} />
          </Field>
          <Field label="compare.to">
            <input name="to" type="number" min="1" max="24" value={to} onInput={text((v) => setSearch({ to: v }))} />
          </Field>
          <Field label="compare.days">
            <input name="days" type="number" min="1" max="20" value={n} onInput={text((v) => setSearch({ days: v }))} />
          </Field>
        </div>
        <details>
          <summary>{t('compare.pick')}</summary>
          <div class="form">
            {methods.map((m) => (
              <label class="check" key={m}>
                <input
                  type="checkbox"
                  checked={chosen.includes(m)}
                  onChange={() => choose(chosen.includes(m) ? chosen.filter((x) => x !== m) : [...chosen, m])}
                />{' '}
                <span translate={false}>{m}</span>
              </label>
            ))}
          </div>
        </details>
        <Act label="compare.do" values={{ n: chosen.length }} type="submit" kind="primary" disabled={chosen.length === 0} do={compare} />
      </form>
      <h2>{t('conf.results')}</h2>
      <Table<Result>
        name="cmp"
        caption="compare.title"
        rows={results}
        rowKey={(r) => r.method}
        empty="compare.none"
        sort="rrmse"
        columns={[
          { id: 'method', title: 'compare.method', value: (r) => r.method, cell: (r) => r.method },
          { id: 'rrmse', title: 'compare.rrmse', num: true, value: (r) => r.rrmse, cell: (r) => percent(r.rrmse) },
          { id: 'bias', title: 'compare.bias', num: true, value: (r) => r.bias, cell: (r) => percent(r.bias) },
          { id: 'intervals', title: 'compare.intervals', num: true, value: (r) => r.intervals, cell: (r) => r.intervals },
          {
            id: 'eligible',
            title: 'compare.eligible',
            value: (r) => String(r.eligible),
            cell: (r) =>
              r.why ? (
                <span class="soft">{t('compare.refused', { why: r.why })}</span>
              ) : (
                <span class={r.eligible ? 'state good' : 'state warn'}>{t(r.eligible ? 'common.yes' : 'common.no')}</span>
              ),
          },
        ]}
      />
    </>
  )
}
