import { useEffect, useState } from 'preact/hooks'
import { applyTheme } from '../session.ts'
import { t } from '../text/index.ts'

let printing = false
const changed = new EventTarget()

function turn(on: boolean): void {
  if (on === printing) return
  printing = on
  if (on) {
    // paper is light, whatever the screen is: charts are drawn anew in its colours
    document.documentElement.dataset.theme = 'light'
    dispatchEvent(new Event('loadstone.theme'))
  } else applyTheme()
  changed.dispatchEvent(new Event('change'))
}

addEventListener('beforeprint', () => turn(true))
addEventListener('afterprint', () => turn(false))

/** True while the page is for paper: lists then show all their rows. */
export function usePrinting(): boolean {
  const [now, set] = useState(printing)
  useEffect(() => {
    const hear = (): void => set(printing)
    changed.addEventListener('change', hear)
    return () => changed.removeEventListener('change', hear)
  }, [])
  return now
}

/** `print()` stops everything until its dialog closes, so the page is made ready first. */
export const PrintButton = () => (
  <button
    type="button"
    class="noprint"
    onClick={() => {
      turn(true)
      requestAnimationFrame(() => setTimeout(() => print(), 50))
    }}
  >
    {t('common.print')}
  </button>
)
