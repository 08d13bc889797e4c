import { staffAndGrid } from '../access.ts'
import { may, setTheme, setZone, theme, themes, zone } from '../session.ts'
import { type Key, language, languages, t } from '../text/index.ts'
import { Field, text } from '../part/basics.tsx'
import { Passkeys, Sessions } from './settings/sessions.tsx'
import { Stops } from './settings/stops.tsx'
import { People } from './settings/people.tsx'
import { Tokens } from './settings/tokens.tsx'

export function Settings() {
  return (
    <>
      <h1>{t('set.title')}</h1>
      <section class="card">
        <div class="form">
          <Field label="set.language">
            <select
              name="language"
              value={language}
              onChange={text((v) => {
                localStorage.setItem('loadstone.language', v)
                location.reload()
              })}
            >
              {languages.map((l) => (
                <option key={l} value={l}>
                  {t(`set.lang.${l}` as Key)}
                </option>
              ))}
            </select>
          </Field>
          <Field label="set.theme">
            <select name="theme" value={theme()} onChange={text((v) => setTheme(themes.find((x) => x === v) ?? 'auto'))}>
              {themes.map((x) => (
                <option key={x} value={x}>
                  {t(`set.theme.${x}`)}
                </option>
              ))}
            </select>
          </Field>
          <Field label="set.zone">
            <select
              name="zone"
              value={localStorage.getItem('loadstone.zone') ?? ''}
              onChange={text((v) => {
                setZone(v || null)
                location.reload()
              })}
            >
              <option value="">{t('set.zoneAuto')}</option>
              {[...new Set([zone(), 'UTC', Intl.DateTimeFormat().resolvedOptions().timeZone])].map((z) => (
                <option key={z} value={z} translate={false}>
                  {z}
                </option>
              ))}
            </select>
          </Field>
        </div>
        <p class="soft">{t('set.kept')}</p>
        <p class="row">
          <a href="/docs">{t('set.openapi')}</a>
        </p>
      </section>
      <Passkeys />
      <Sessions />
      {may('admin') && <People />}
      {may(...staffAndGrid) && <Stops />}
      <h2>{t('set.tokens')}</h2>
      {may('admin') ? <Tokens /> : <p class="soft">{t('set.adminOnly')}</p>}
    </>
  )
}
