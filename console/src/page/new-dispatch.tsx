import { useState } from 'preact/hooks'
import { ApiError, get, type List, post } from '../api.ts'
import { power, span, utc } from '../format.ts'
import { useGone, useLoad } from '../live.ts'
import { go, usePlace } from '../route.ts'
import { t } from '../text/index.ts'
import type { Dispatch, Program } from '../types.ts'
import { Act, Await, D, Field, text } from '../part/basics.tsx'
import { bodyOf, draftKey, type Form, formOf, modes } from './new-dispatch/form.ts'
import { Preview } from './new-dispatch/preview.tsx'

/** Order with a preview first; what was typed survives a lost server and a reload (UX-048, UX-056). */
export function NewDispatch() {
  const { search } = usePlace()
  const base = useLoad(async () => {
    const [programs, dispatches, copy] = await Promise.all([
      get<List<Program>>('/programs'),
      get<List<Dispatch>>('/dispatches?limit=1000'),
      search.get('copy') ? get<Dispatch>(`/dispatches/${search.get('copy')}`) : undefined,
    ])
    return {
      programs: programs.items.filter((p) => p.state === 'open'),
      last: dispatches.items.sort((a, b) => a.createdAt.localeCompare(b.createdAt)).at(-1),
      copy,
    }
  }, [search.get('copy')])
  return (
    <>
      <h1>{t('new.title')}</h1>
      <Await of={base}>
        {(b) =>
          b.programs.length === 0 ? (
            <p class="card empty">
              {t('program.none')} <a href="#/programs/new">{t('program.create')}</a>
            </p>
          ) : (
            <Order {...b} />
          )
        }
      </Await>
    </>
  )
}

function Order({ programs, last, copy }: { programs: Program[]; last: Dispatch | undefined; copy: Dispatch | undefined }) {
  const kept = sessionStorage.getItem(draftKey),
    gone = useGone()
  const [form, set] = useState<Form>(() =>
      copy ? formOf('last', programs, copy) : kept ? (JSON.parse(kept) as Form) : formOf('blank', programs, undefined),
    ),
    [preview, setPreview] = useState<{ of: string; answer: Dispatch }>(),
    [refused, setRefused] = useState<ApiError>(),
    [emergency, setEmergency] = useState<string[]>([])
  const [key, setKey] = useState(() => crypto.randomUUID())
  const program = programs.find((p) => p.id === form.program) ?? programs[0]!,
    now = JSON.stringify([form, emergency])
  const change = (part: Partial<Form>): void => {
    const next = { ...form, ...part }
    set(next)
    setKey(crypto.randomUUID())
    sessionStorage.setItem(draftKey, JSON.stringify(next))
  }
  const complete = form.power_kW !== '' && form.day !== '' && form.start !== '' && form.end !== ''
  const send = async (more: object, headers?: Record<string, string>): Promise<Dispatch | undefined> => {
    setRefused(undefined)
    try {
      return await post<Dispatch>('/dispatches', bodyOf(form, { ...more, ...(emergency.length > 0 ? { emergency } : {}) }), headers)
    } catch (error) {
      if (error instanceof ApiError && error.problem.checks) {
        setRefused(error)
        return undefined
      }
      throw error
    }
  }
  const look = async (): Promise<void> => {
    const answer = await send({ dryRun: true })
    setPreview(answer ? { of: now, answer } : undefined)
  }
  const order = async (): Promise<void> => {
    const made = await send({}, { 'idempotency-key': key })
    if (!made) return
    sessionStorage.removeItem(draftKey)
    go(`/dispatches/${made.id}`)
  }
  const direction = program.direction === 'up' ? 'up' : 'down'
  return (
    <>
      <form
        class="card"
        onSubmit={(e) => {
          e.preventDefault()
          if (complete && gone === null) void look()
        }}
      >
        <div class="form">
          <Field label="new.template">
            <select name="template" onChange={(e) => change(formOf(e.currentTarget.value, programs, last))}>
              <option value="blank">{t('new.blank')}</option>
              {last && (
                <option value="last" selected={copy !== undefined}>
                  {t('new.last')}
                </option>
              )}
              <option value="peak">{t('new.peak')}</option>
              <option value="hour">{t('new.hour')}</option>
            </select>
          </Field>
          <Field label="new.program">
            <select name="program" value={form.program} onChange={text((v) => change({ program: v }))}>
              {programs.map((p) => (
                <option key={p.id} value={p.id} translate={false}>
                  {p.name}
                </option>
              ))}
            </select>
          </Field>
          <Field label="new.power" help={t(`new.powerHelp.${direction}`)}>
            <input
              name="power"
              type="number"
              required
              min={program.direction === 'both' ? undefined : '0.1'}
              step="any"
              value={form.power_kW}
              onInput={text((v) => change({ power_kW: v }))}
            />
          </Field>
        </div>
        <div class="form">
          <Field label="new.day">
            <input name="day" type="date" required value={form.day} onInput={text((v) => change({ day: v }))} />
          </Field>
          <Field label="new.start">
            <input name="start" type="time" required value={form.start} onInput={text((v) => change({ start: v }))} />
          </Field>
          <Field label="new.end">
            <input name="end" type="time" required value={form.end} onInput={text((v) => change({ end: v }))} />
          </Field>
        </div>
        <p class="soft">
          {t('new.zone', { zone: program.timeZone, utc: preview ? `${utc(preview.answer.start)} – ${utc(preview.answer.end)}` : '–' })}
        </p>
        <div class="form">
          <Field label="new.mode">
            <select name="mode" value={form.mode} onChange={text((v) => change({ mode: v }))}>
              {modes.map((m) => (
                <option key={m} value={m}>
                  {t(`new.mode.${m}`)}
                </option>
              ))}
            </select>
          </Field>
          <Field label="new.scope">
            <input name="scope" value={form.aggregation} onInput={text((v) => change({ aggregation: v }))} />
          </Field>
          <Field label="new.reason">
            <input name="reason" value={form.reason} maxLength={2000} onInput={text((v) => change({ reason: v }))} />
          </Field>
        </div>
        <label class="check">
          <input type="checkbox" checked={form.test} onChange={(e) => change({ test: e.currentTarget.checked })} /> {t('new.test')}
        </label>
        <div class="row">
          <Act label="new.preview" kind={preview?.of === now ? (undefined as never) : 'primary'} do={look} disabled={!complete} />
          {preview && (
            <Act label="new.order" values={{ power: power(Number(form.power_kW)) }} kind="primary" do={order} disabled={preview.of !== now} />
          )}
          {preview && preview.of !== now && (
            <span class="soft" role="status">
              {t('new.changed')}
            </span>
          )}
        </div>
      </form>
      {refused && (
        <section class="problem" role="alert">
          <h2>{t('new.checks')}</h2>
          <ul class="trouble">
            {refused.problem.checks!.map((c) => (
              <li key={c.check + c.detail}>
                <D>
                  <b>{c.check}</b> {c.detail}
                </D>{' '}
                {refused.problem.status === 422 && (
                  <label class="check">
                    <input
                      type="checkbox"
                      checked={emergency.includes(c.check)}
                      onChange={(e) =>
                        setEmergency(e.currentTarget.checked ? [...new Set([...emergency, c.check])] : emergency.filter((x) => x !== c.check))
                      }
                    />{' '}
                    {t('new.override')}
                  </label>
                )}
              </li>
            ))}
          </ul>
        </section>
      )}
      {preview && <Preview d={preview.answer} program={program} />}
    </>
  )
}
