import type { ComponentChildren } from 'preact'
import { useLayoutEffect, useRef } from 'preact/hooks'

/** A question that stops everything else until it is answered; Escape is "no", and the focus goes back where it came from. */
export function Dialog({ title, onClose, children }: { title: string; onClose: () => void; children: ComponentChildren }) {
  const ref = useRef<HTMLDialogElement>(null), before = useRef(document.activeElement as HTMLElement | null)
  useLayoutEffect(() => {
    ref.current?.showModal()
    ref.current?.querySelector<HTMLElement>('[autofocus], input, button')?.focus()
    return () => before.current?.focus()
  }, [])
  return <dialog ref={ref} aria-labelledby="dialog-title" onClose={onClose} onCancel={onClose}><h2 id="dialog-title">{title}</h2>{children}</dialog>
}
