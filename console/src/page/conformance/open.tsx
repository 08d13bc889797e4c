import { useState } from 'preact/hooks'
import { listed } from '../../format.ts'
import { t } from '../../text/index.ts'
import { Field } from '../../part/basics.tsx'
import { reportOf, type Report } from './report.ts'

async function read(file: File): Promise<Report | undefined> {
  try {
    return reportOf(file.name, await file.text())
  } catch {
    return undefined
  }
}

/** Files are chosen, or dropped on the card; each is read here and goes nowhere. */
export function Open({ tell }: { tell: (found: Report[]) => void }) {
  const [bad, setBad] = useState<string[]>([]),
    [over, setOver] = useState(false)
  const open = async (files: FileList | null | undefined): Promise<void> => {
    const given = [...(files ?? [])],
      found = await Promise.all(given.map(read))
    setBad(given.filter((_, i) => !found[i]).map((f) => f.name))
    tell(found.filter((r) => r !== undefined))
  }
  return (
    <section
      class={`card${over ? ' over' : ''}`}
      data-drop
      onDragOver={(e) => {
        e.preventDefault()
        setOver(true)
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(e) => {
        e.preventDefault()
        setOver(false)
        void open(e.dataTransfer?.files)
      }}
    >
      <Field label="conf.file" help={t('conf.help')}>
        <input type="file" accept=".json,application/json" multiple onChange={(e) => void open(e.currentTarget.files)} />
      </Field>
      {bad.length > 0 && (
        <p class="problem" role="alert">
          {t('conf.bad', { file: listed(bad) })}
        </p>
      )}
    </section>
  )
}
