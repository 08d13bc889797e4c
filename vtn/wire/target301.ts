import { printed } from '#vtn/wire/literal.js'

/** A 3.0.1 target (openadr3.md OA-230). */
export interface Target301 { readonly type: string; readonly values: readonly unknown[] }

/** OA-246: `=` parts type and value; an `=` of the type itself is written %3D. */
const typeText = (type: string): string => type.replace(/%(?=3D|25)/g, '%25').replaceAll('=', '%3D')
const typeOf = (text: string): string => text.replaceAll('%3D', '=').replaceAll('%25', '%')

/** `{type:T, values:[a,b]}` ↔ `T=a`, `T=b`; a bare 3.1 name is `{type:"TARGET", values:["x"]}`. */
export const targetText = (type: string, value: unknown): string => {
  const text = typeof value === 'string' ? value : printed(value)
  return type === 'TARGET' && text !== '' && !text.includes('=') ? text : `${typeText(type)}=${text}`
}

export const targetsTo31 = (targets: readonly Target301[]): string[] => targets.flatMap((t) => t.values.map((v) => targetText(t.type, v)))

export function targetsTo301(targets: readonly string[]): { type: string; values: string[] }[] {
  const groups = new Map<string, string[]>()
  for (const text of targets) {
    const at = text.indexOf('=')
    const [type, value] = at <= 0 ? ['TARGET', text] : [typeOf(text.slice(0, at)), text.slice(at + 1)]
    groups.set(type, [...(groups.get(type) ?? []), value])
  }
  return [...groups].map(([type, values]) => ({ type, values }))
}
