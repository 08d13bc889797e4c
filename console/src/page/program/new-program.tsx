import { useState } from 'preact/hooks'
import { get, type List, post } from '../../api.ts'
import { useLoad } from '../../live.ts'
import { go } from '../../route.ts'
import { type Key, t } from '../../text/index.ts'
import type { Program } from '../../types.ts'
import { Act, Field, text } from '../../part/basics.tsx'

export function NewProgram() {
  const methods = useLoad(() => get<List<{ id?: string; name?: string; method?: string }>>('/baselines'), [])
  const [f, set] = useState({
    name: '',
    timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    direction: 'down',
    intervalMinutes: '15',
    method: 'CAISO_10IN10',
    level: 'portfolio',
    currency: 'USD',
    energyPrice: '',
    customerShare: '0.70',
    twoPerson: '',
    notice: '',
    maxMinutes: '',
    maxDay: '',
    maxOrder: '',
  })
  const input = (key: keyof typeof f, label: Key, props: object = {}) => (
    <Field label={label}>
      <input name={key} value={f[key]} onInput={text((v) => set({ ...f, [key]: v }))} {...props} />
    </Field>
  )
  const pick = (key: keyof typeof f, label: Key, options: readonly (readonly [string, string])[]) => (
    <Field label={label}>
      <select name={key} value={f[key]} onChange={text((v) => set({ ...f, [key]: v }))}>
        {options.map(([v, name]) => (
          <option key={v} value={v} translate={v === name ? false : undefined}>
            {name}
          </option>
        ))}
      </select>
    </Field>
  )
  const number = (v: string): number | undefined => (v === '' ? undefined : Number(v))
  const create = async (): Promise<void> => {
    const limits = {
      twoPersonAbove_kW: number(f.twoPerson),
      minNotice_s: number(f.notice) === undefined ? undefined : Number(f.notice) * 60,
      maxDuration_s: number(f.maxMinutes) === undefined ? undefined : Number(f.maxMinutes) * 60,
      maxEventsPerDay: number(f.maxDay),
      maxOrder_kW: number(f.maxOrder),
    }
    const made = await post<Program>('/programs', {
      name: f.name,
      timeZone: f.timeZone,
      direction: f.direction,
      intervalMinutes: Number(f.intervalMinutes),
      baseline: { method: f.method, level: f.level },
      currency: f.currency,
      customerShare: f.customerShare,
      ...(f.energyPrice ? { energyPrice: f.energyPrice } : {}),
      limits,
    })
    go(`/programs/${made.id}`)
  }
  const names = methods.data?.items.map((m) => m.id ?? m.method ?? m.name ?? '').filter((x) => x !== '') ?? []
  return (
    <>
      <h1>{t('program.create')}</h1>
      <form class="card" onSubmit={(e) => e.preventDefault()}>
        <div class="form">
          {input('name', 'common.name', { required: true })}
          {input('timeZone', 'program.zone', { required: true })}
          {pick(
            'direction',
            'program.direction',
            (['down', 'up', 'both'] as const).map((d) => [d, t(`program.${d}`)]),
          )}
          {pick(
            'intervalMinutes',
            'program.interval',
            ['5', '15', '30', '60'].map((x) => [x, x]),
          )}
        </div>
        <div class="form">
          {pick(
            'method',
            'program.method',
            (names.length > 0 ? names : [f.method]).map((x) => [x, x]),
          )}
          {pick(
            'level',
            'program.level',
            (['portfolio', 'point'] as const).map((x) => [x, t(`program.level.${x}`)]),
          )}
          {input('currency', 'program.currency', { pattern: '[A-Z]{3}', required: true })}
          {input('energyPrice', 'program.energyPrice', { inputMode: 'decimal' })}
          {input('customerShare', 'program.share', { inputMode: 'decimal', required: true })}
        </div>
        <fieldset>
          <legend>{t('program.limits')}</legend>
          <div class="form">
            {input('twoPerson', 'program.twoPerson', { type: 'number', min: 0 })}
            {input('notice', 'program.notice', { type: 'number', min: 0 })}
            {input('maxMinutes', 'program.maxHours', { type: 'number', min: 1 })}
            {input('maxDay', 'program.maxDay', { type: 'number', min: 0 })}
            {input('maxOrder', 'program.maxOrder', { type: 'number', min: 0 })}
          </div>
        </fieldset>
        <p class="soft">{t('program.bothPlusDefaults')}</p>
        <Act type="submit" kind="primary" label="program.save" disabled={f.name === ''} do={create} />
      </form>
    </>
  )
}
