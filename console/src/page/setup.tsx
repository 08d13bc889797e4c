import { useState } from 'preact/hooks'
import { setUp, type FirstPerson } from '../door.ts'
import { Act, Facts, Field, Secret, text } from '../part/basics.tsx'
import { QrCode } from '../part/qr.tsx'
import { t } from '../text/index.ts'

/** `#/setup?secret=…`, as a server without people prints it: a name for the first one, and what that person signs in with. */
export function Setup({ secret }: { secret: string }) {
  const [name, set] = useState(''),
    [made, setMade] = useState<FirstPerson>(),
    [refused, setRefused] = useState(false)
  const make = async (): Promise<void> => {
    const person = await setUp(secret, name.trim())
    setMade(person)
    setRefused(!person)
  }
  return (
    <main id="content" class="login card">
      <h1>{t('setup.title')}</h1>
      {made ? (
        <>
          <p>{t('setup.made')}</p>
          <Facts of={[['login.user', made.name]]} />
          <h2>{t('login.password')}</h2>
          <Secret of={made.password} />
          <h2>{t('setup.key')}</h2>
          <QrCode of={made.otpauth} />
          <Secret of={`${made.totp}\n${made.otpauth}`} />
          <a class="button primary" href="#/">
            {t('login.do')}
          </a>
        </>
      ) : (
        <form onSubmit={(e) => e.preventDefault()}>
          <p>{t('setup.help')}</p>
          <Field label="login.user">
            <input name="first" autocomplete="username" maxLength={200} value={name} onInput={text(set)} />
          </Field>
          <Act type="submit" kind="primary" label="setup.do" disabled={name.trim() === ''} do={make} />
          {refused && (
            <p class="problem" role="alert">
              {t('setup.refused')}
            </p>
          )}
        </form>
      )}
    </main>
  )
}
