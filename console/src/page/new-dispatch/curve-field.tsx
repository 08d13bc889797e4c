import { useState } from 'preact/hooks'
import { count, plain, power } from '../../format.ts'
import { t } from '../../text/index.ts'
import type { Program } from '../../types.ts'
import { D, download, Field, text } from '../../part/basics.tsx'
import { edges, resampled, stepsOf, timeOf } from './curve.ts'
import { CurveDraw } from './curve-draw.tsx'
import { placed, readCsv, writeCsv } from './curve-csv.ts'
import type { Form } from './form.ts'

/** A value for each step: drawn, typed, pasted or loaded from a file (UX-048). */
export function CurveField({ form, program, change }: { form: Form; program: Program; change: (part: Partial<Form>) => void }) {
  const curve = form.curve!,
    at = edges(form, curve.minutes),
    steps = stepsOf(form),
    signed = program.direction === 'both'
  const set = (i: number, kW: number): void => change({ curve: { ...curve, kW: curve.kW.map((v, k) => (k === i ? kW : v)) } })
  const lengths = [...new Set([program.intervalMinutes, 15, 30, 60, curve.minutes])].filter((m) => m % program.intervalMinutes === 0 || m === curve.minutes).sort((a, b) => a - b)
  return (
    <fieldset data-curve={curve.kW.join(',')}>
      <legend>{t('curve.title')}</legend>
      {at.length < 2 ? (
        <p class="soft">{t('curve.window')}</p>
      ) : (
        <>
          <CurveDraw values={curve.kW} at={at} signed={signed} set={set} />
          <div class="curve-values">
            {curve.kW.map((kW, i) => (
              <label key={at[i]}>
                <D>{timeOf(at[i]!)}</D>
                <input
                  type="number"
                  step="any"
                  {...(signed ? {} : { min: 0 })}
                  aria-label={t('curve.value', { time: timeOf(at[i]!) })}
                  value={kW}
                  onInput={text((v) => v !== '' && set(i, Number(v)))}
                />
              </label>
            ))}
          </div>
        </>
      )}
      <div class="row">
        <label class="inline">
          {t('curve.step')}
          <select name="curve-step" value={curve.minutes} onChange={text((v) => change({ curve: resampled(form, curve, Number(v)) }))}>
            {lengths.map((m) => (
              <option key={m} value={m}>
                {t('span.minutes', { n: m })}
              </option>
            ))}
          </select>
        </label>
        <button type="button" onClick={() => download(`curve-${form.day}.csv`, 'text/csv', writeCsv(form, at))} disabled={at.length < 2}>
          {t('chart.csv')}
        </button>
        <span class="soft" role="status">
          {t('curve.sum', { n: count(steps.length), most: power(Math.max(0, ...steps.map((s) => Math.abs(s.kW)))) })}
        </span>
      </div>
      <FromCsv form={form} program={program} signed={signed} change={change} />
    </fieldset>
  )
}

function FromCsv({ form, program, signed, change }: { form: Form; program: Program; signed: boolean; change: (part: Partial<Form>) => void }) {
  const [csv, setCsv] = useState(''),
    read = csv.trim() === '' ? undefined : readCsv(csv, form.curve!.minutes, signed),
    wrong = read && 'line' in read ? read : read && 'curve' in read && read.curve.minutes % program.intervalMinutes !== 0 ? ({ line: 2, why: 'interval' } as const) : undefined
  return (
    <details>
      <summary>{t('curve.csv')}</summary>
      <Field label="curve.paste" help={t('curve.form', { minutes: program.intervalMinutes })}>
        <textarea name="curve-csv" rows={5} spellcheck={false} value={csv} placeholder={'16:00,500\n16:15,800'} onInput={text(setCsv)} />
      </Field>
      <Field label="curve.file">
        <input
          name="curve-file"
          type="file"
          accept=".csv,.txt,text/csv"
          onChange={(e) => {
            void e.currentTarget.files?.[0]?.text().then(setCsv)
          }}
        />
      </Field>
      <div class="row">
        <button type="button" disabled={!read || !!wrong} onClick={() => read && 'curve' in read && change(placed(form, read))}>
          {t('curve.use')}
        </button>
        {wrong && (
          <span role="alert">
            {t('curve.line', { line: wrong.line })} {t(`curve.why.${wrong.why}`, { minutes: plain(program.intervalMinutes) })}
          </span>
        )}
        {read && 'curve' in read && !wrong && <span class="soft">{t('curve.found', { n: count(read.curve.kW.length) })}</span>}
      </div>
    </details>
  )
}
