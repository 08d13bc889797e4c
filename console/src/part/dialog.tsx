import type { ComponentChildren } from 'preact'
import { useLayoutEffect, useRef } from 'preact/hooks'

/** A question that stops everything else until it is answered; Escape is "no", and the focus goes back where it came from. */
export function Dialog({ title, onClose, children }: { title: string; onClose: () => void; children: ComponentChildren }) {
  const ref = useRef<HTMLDialogElement>(null),
    before = useRef(document.activeElement as HTMLElement | null)
  useLayoutEffect(() => {
    const el = ref.current
    el?.showModal()
    el?.querySelector<HTMLElement>('[autofocus], input, button')?.focus()
    // as long as it is open, nothing outside can take the focus
    return () => {
      el?.close()
      before.current?.focus()
    }
  }, [])
  return (
    <dialog ref={ref} aria-labelledby="dialog-title" onClose={onClose} onCancel={onClose}>
      <h2 id="dialog-title">{title}</h2>
      {children}
    </dialog>
  )
}
