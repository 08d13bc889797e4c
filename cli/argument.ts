import { InvalidArgumentError } from 'commander'

/** Values of options that are looked at before anything starts: the sentence names what is wanted (UX-013). */
export const urlWith = (...schemes: readonly ('http' | 'https' | 'ws' | 'wss')[]) => (text: string): string => {
  if (!URL.canParse(text) || !schemes.some((s) => text.toLowerCase().startsWith(`${s}://`))) throw new InvalidArgumentError(`It begins with ${schemes.map((s) => `${s}://`).join(' or ')}.`)
  return text
}

export const numberFrom = (least: number) => (text: string): string => {
  if (text.trim() === '' || !(Number(text) >= least)) throw new InvalidArgumentError(`It is a number${least === Number.NEGATIVE_INFINITY ? '' : ` from ${least} on`}.`)
  return text
}
