import { useState } from 'preact/hooks'
import { get, post, type List } from '../../api.ts'
import { useLoad } from '../../live.ts'
import { may } from '../../session.ts'
import { t } from '../../text/index.ts'
import { Act, Await, D, Field, text, Time } from '../../part/basics.tsx'

interface Note {
  id: string
  text: string
  by: string
  at: string
}

/** What one person wants the next to know about this device. */
export function Notes({ device }: { device: string }) {
  const list = useLoad(() => get<List<Note>>(`/devices/${device}/notes`), [device], { when: (m) => m.entity === device }),
    [words, set] = useState('')
  const write = async (): Promise<void> => {
    await post(`/devices/${device}/notes`, { text: words.trim() })
    set('')
    list.reload()
  }
  return (
    <section class="card">
      <h2>{t('note.list')}</h2>
      <Await of={list}>
        {({ items }) => items.length === 0 ? <p class="soft">{t('note.none')}</p> : (
          <ul class="trouble">
            {items.map((n) => (
              <li key={n.id}>
                <D>{n.text}</D>
                <div class="soft">
                  <D>{n.by}</D> · <Time at={n.at} />
                </div>
              </li>
            ))}
          </ul>
        )}
      </Await>
      {may('admin', 'operator', 'dispatcher') && (
        <form onSubmit={(e) => e.preventDefault()}>
          <Field label="note.text">
            <textarea name="note" rows={2} maxLength={2000} value={words} onInput={text(set)} />
          </Field>
          <Act label="note.write" type="submit" disabled={words.trim() === ''} do={write} />
        </form>
      )}
    </section>
  )
}
