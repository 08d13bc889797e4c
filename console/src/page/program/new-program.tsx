import { useRef, useState } from 'preact/hooks'
import { get, type List, post } from '../../api.ts'
import { useLoad } from '../../live.ts'
import { go } from '../../route.ts'
import { type Key, t } from '../../text/index.ts'
import type { Program } from '../../types.ts'
import { Act, Field, text } from '../../part/basics.tsx'
import { faultsOf } from '../../part/faults.ts'

const empty = {
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
}
type Form = typeof empty

/** Where the API names each field. */
const paths: Partial<Record<keyof Form, string>> = {
  method: '/baseline/method',
  level: '/baseline/level',
  twoPerson: '/limits/twoPersonAbove_kW',
  notice: '/limits/minNotice_s',
  maxMinutes: '/limits/maxDuration_s',
  maxDay: '/limits/maxEventsPerDay',
  maxOrder: '/limits/maxOrder_kW',
}

const number = (v: string, times = 1): number | undefined => (v === '' ? undefined : Number(v) * times)

const bodyOf = (f: Form): object => ({
  name: f.name,
  timeZone: f.timeZone,
  direction: f.direction,
  intervalMinutes: Number(f.intervalMinutes),
  baseline: { method: f.method, level: f.level },
  currency: f.currency,
  customerShare: f.customerShare,
  ...(f.energyPrice ? { energyPrice: f.energyPrice } : {}),
  limits: {
    twoPersonAbove_kW: number(f.twoPerson),
    minNotice_s: number(f.notice, 60),
    maxDuration_s: number(f.maxMinutes, 60),
    maxEventsPerDay: number(f.maxDay),
    maxOrder_kW: number(f.maxOrder),
  },
})

/** A program with its terms; what the server cannot take is named beside its field. */
export function NewProgram() {
  const methods = useLoad(() => get<List<{ id?: string; name?: string; method?: string }>>('/baselines'), []),
    form = useRef<HTMLFormElement>(null)
  const [f, set] = useState(empty),
    [wrong, setWrong] = useState<Record<string, string>>({})
  const wrongWith = (key: keyof Form): string | undefined => wrong[paths[key] ?? `/${key}`]
  const marks = (key: keyof Form): object => (wrongWith(key) ? { 'aria-invalid': true, 'aria-describedby': `wrong-${key}` } : {})
  const said = (key: keyof Form, help?: Key) => (
    <>
      {help && t(help)}
      {wrongWith(key) && (
        <span class="wrong" id={`wrong-${key}`} translate={false}>
          {wrongWith(key)}
        </span>
      )}
    </>
  )
  const input = (key: keyof Form, label: Key, { help, ...props }: { help?: Key; [name: string]: unknown } = {}) => (
    <Field label={label} help={said(key, help)}>
      <input name={key} value={f[key]} onInput={text((v) => set({ ...f, [key]: v }))} {...props} {...marks(key)} />
    </Field>
  )
  const pick = (key: keyof Form, label: Key, options: readonly (readonly [string, string])[]) => (
    <Field label={label} help={said(key)}>
      <select name={key} value={f[key]} onChange={text((v) => set({ ...f, [key]: v }))} {...marks(key)}>
        {options.map(([v, name]) => (
          <option key={v} value={v} translate={v === name ? false : undefined}>
            {name}
          </option>
        ))}
      </select>
    </Field>
  )
  const create = async (): Promise<void> => {
    setWrong({})
    try {
      go(`/programs/${(await post<Program>('/programs', bodyOf(f))).id}`)
    } catch (error) {
      setWrong(faultsOf(error))
      // the first field that is wrong, once it is marked
      requestAnimationFrame(() => form.current?.querySelector<HTMLElement>('[aria-invalid]')?.focus())
      throw error
    }
  }
  const names = methods.data?.items.map((m) => m.id ?? m.method ?? m.name ?? '').filter((x) => x !== '') ?? []
  return (
    <>
      <h1>{t('program.create')}</h1>
      <form class="card" noValidate ref={form} onSubmit={(e) => e.preventDefault()}>
        <div class="form">
          {input('name', 'common.name', { required: true })}
          {input('timeZone', 'program.zone', { required: true, list: 'zones', help: 'program.zoneHelp' })}
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
        <Zones />
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
          {input('currency', 'program.currency', { required: true, maxLength: 3 })}
          {input('energyPrice', 'program.energyPrice', { inputMode: 'decimal' })}
          {input('customerShare', 'program.share', { inputMode: 'decimal', required: true })}
        </div>
        <fieldset>
          <legend>{t('program.limits')}</legend>
          <div class="form">
            {input('twoPerson', 'program.twoPerson', { type: 'number', min: 0, step: 'any' })}
            {input('notice', 'program.notice', { type: 'number', min: 0 })}
            {input('maxMinutes', 'program.maxHours', { type: 'number', min: 1 })}
            {input('maxDay', 'program.maxDay', { type: 'number', min: 0 })}
            {input('maxOrder', 'program.maxOrder', { type: 'number', min: 0, step: 'any' })}
          </div>
        </fieldset>
        <p class="soft">{t('program.bothPlusDefaults')}</p>
        <Act type="submit" kind="primary" label="program.save" disabled={f.name === ''} do={create} />
      </form>
    </>
  )
}

/** Every zone that the browser knows. */
const Zones = () => (
  <datalist id="zones">
    {Intl.supportedValuesOf('timeZone').map((z) => (
      <option key={z} value={z} />
    ))}
  </datalist>
)
