/** What a custom property of the sheet is now: light-dark() resolves only on an element, so one is asked. */
export function colour(name: string): string {
  const probe = document.createElement('i')
  probe.style.color = `var(${name})`
  document.body.append(probe)
  const found = getComputedStyle(probe).color
  probe.remove()
  return found || '#888'
}
