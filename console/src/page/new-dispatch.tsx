import { useState } from 'preact/hooks'
import { all, ApiError, get, post } from '../api.ts'
import { power, utc } from '../format.ts'
import { useGone, useLoad } from '../live.ts'
import { go, usePlace } from '../route.ts'
import { t } from '../text/index.ts'
import type { Dispatch, Program } from '../types.ts'
import { Act, Await, Field, text } from '../part/basics.tsx'
import { fitted, nameOf, stepsOf } from './new-dispatch/curve.ts'
import { CurveField } from './new-dispatch/curve-field.tsx'
import { type Look, lookAll, orderAll } from './new-dispatch/curve-order.ts'
import { CurvePreview } from './new-dispatch/curve-preview.tsx'
import { bodyOf, curveKey, draftKey, type Form, formOf, keptForm, modes } from './new-dispatch/form.ts'
import { Refused } from './new-dispatch/refused.tsx'
import { Preview } from './new-dispatch/preview.tsx'

/** Order with a preview first; what was typed survives a lost server and a reload (UX-048, UX-056). */
export function NewDispatch() {
  const { search } = usePlace()
  const base = useLoad(async () => {
    const [programs, dispatches, copy] = await Promise.all([
      all<Program>('/programs'),
      all<Dispatch>('/dispatches'),
      search.get('copy') ? get<Dispatch>(`/dispatches/${search.get('copy')}`) : undefined,
    ])
    return {
      programs: programs.filter((p) => p.state === 'open'),
      last: dispatches.sort((a, b) => a.createdAt.localeCompare(b.createdAt)).at(-1),
      copy,
      asked: search.get('program') ?? undefined,
    }
  }, [search.get('copy'), search.get('program')])
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

function Order({ programs, last, copy, asked }: { programs: Program[]; last: Dispatch | undefined; copy: Dispatch | undefined; asked: string | undefined }) {
  const kept = keptForm(programs, asked),
    gone = useGone()
  const [form, set] = useState<Form>(() =>
      copy ? formOf('last', programs, copy) : (kept ?? formOf('blank', programs, undefined, asked)),
    ),
    [preview, setPreview] = useState<{ of: string; answer?: Dispatch; looks?: Look[] }>(),
    [refused, setRefused] = useState<ApiError>(),
    [kind, setKind] = useState(copy ? 'last' : kept ? 'draft' : 'blank'),
    [emergency, setEmergency] = useState<string[]>([])
  const [key, setKey] = useState(() => crypto.randomUUID())
  const program = programs.find((p) => p.id === form.program) ?? programs[0]!,
    now = JSON.stringify([form, emergency])
  const change = (part: Partial<Form>): void => {
    const next = { ...form, ...part }
    // the window decides how many steps there are
    if (next.curve) next.curve = fitted(next, next.curve)
    set(next)
    setKey(crypto.randomUUID())
    sessionStorage.setItem(draftKey, JSON.stringify(next))
  }
  const steps = stepsOf(form),
    complete = (form.curve ? steps.length > 0 : form.power_kW !== '') && form.day !== '' && form.start !== '' && form.end !== ''
  const override = emergency.length > 0 ? { emergency } : {}
  const send = async (more: object, headers?: Record<string, string>): Promise<Dispatch | undefined> => {
    setRefused(undefined)
    try {
      return await post<Dispatch>('/dispatches', bodyOf(form, { ...more, ...override }), headers)
    } catch (error) {
      if (error instanceof ApiError && error.problem.checks) {
        setRefused(error)
        return undefined
      }
      throw error
    }
  }
  const look = async (): Promise<void> => {
    if (form.curve) {
      setRefused(undefined)
      return setPreview({ of: now, looks: await lookAll(form, override) })
    }
    const answer = await send({ dryRun: true })
    setPreview(answer ? { of: now, answer } : undefined)
  }
  const orderCurve = async (): Promise<void> => {
    await orderAll(form, override, key)
    sessionStorage.removeItem(draftKey)
    localStorage.setItem(curveKey, JSON.stringify(form))
    go(`/dispatches?d.q=${encodeURIComponent(nameOf(form))}&d.sort=start`)
  }
  const order = async (): Promise<void> => {
    if (form.curve) return orderCurve()
    const made = await send({}, { 'idempotency-key': key })
    if (!made) return
    sessionStorage.removeItem(draftKey)
    go(`/dispatches/${made.id}`)
  }
  const direction = program.direction === 'up' ? 'up' : 'down',
    answers = preview?.answer ? [preview.answer] : (preview?.looks ?? []).flatMap((l) => l.answer ?? []),
    seen = answers.length > 0 ? { start: answers[0]!.start, end: answers.at(-1)!.end } : undefined,
    ready = preview?.of === now && !preview.looks?.some((l) => l.refused)
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
            <select
              name="template"
              value={kind}
              onChange={text((v) => {
                setKind(v)
                change({ curve: undefined, ...formOf(v, programs, last) })
              })}
            >
              {kind === 'draft' && <option value="draft">{t('new.draft')}</option>}
              <option value="blank">{t('new.blank')}</option>
              {last && (
                <option value="last">{t('new.last')}</option>
              )}
              <option value="peak">{t('new.peak')}</option>
              <option value="hour">{t('new.hour')}</option>
              {localStorage.getItem(curveKey) && <option value="curve">{t('curve.last')}</option>}
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
          <Field label="curve.shape">
            <select
              name="shape"
              value={form.curve ? 'curve' : 'flat'}
              onChange={text((v) => change({ curve: v === 'curve' ? { minutes: program.intervalMinutes, kW: [] } : undefined }))}
            >
              <option value="flat">{t('curve.flat')}</option>
              <option value="curve">{t('curve.curve')}</option>
            </select>
          </Field>
          {!form.curve && <Field label="new.power" help={t(`new.powerHelp.${direction}`)}>
            <input
              name="power"
              type="number"
              required
              min={program.direction === 'both' ? undefined : '0.1'}
              step="any"
              value={form.power_kW}
              onInput={text((v) => change({ power_kW: v }))}
            />
          </Field>}
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
          {t('new.local', { zone: program.timeZone })} {seen && t('new.zone', { utc: `${utc(seen.start)} – ${utc(seen.end)}` })}
        </p>
        {form.curve && <CurveField form={form} program={program} change={change} />}
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
            <Act
              label={form.curve ? 'curve.order' : 'new.order'}
              values={{ power: power(Number(form.power_kW)), n: steps.length }}
              kind="primary"
              do={order}
              disabled={!ready}
            />
          )}
          {preview && preview.of !== now && (
            <span class="soft" role="status">
              {t('new.changed')}
            </span>
          )}
        </div>
      </form>
      {refused && <Refused error={refused} emergency={emergency} set={setEmergency} />}
      {preview?.answer && <Preview d={preview.answer} program={program} />}
      {preview?.looks && <CurvePreview looks={preview.looks} program={program} />}
    </>
  )
}
