import type { ComponentChildren } from 'preact'
import { useLayoutEffect, useRef } from 'preact/hooks'

/** A question that stops everything else until it is answered; Escape is "no", and the focus goes back where it came from. */
export function Dialog({ title, onClose, children }: { title: string; onClose: () => void; children: ComponentChildren }) {
  const ref = useRef<HTMLDialogElement>(null)
  useLayoutEffect(() => {
    const before = document.activeElement as HTMLElement | null
    ref.current?.showModal()
    ref.current?.querySelector<HTMLElement>('[autofocus], input, button')?.focus()
    return () => before?.focus()
  }, [])
  return <dialog ref={ref} aria-labelledby="dialog-title" onClose={onClose} onCancel={onClose}><h2 id="dialog-title">{title}</h2>{children}</dialog>
}
