/** OpenADR 3.1 User Guide, local VTN: what a VTN on a customer's site says of itself by DNS-SD (RFC 6763; OA-220). */
export const serviceType = '_openadr3._tcp.local'

/** The TXT record, key by key. */
export interface LocalVtn {
  /** Revision of the standard, e.g. 3.1.1. */
  readonly version: string
  readonly base_path: string
  /** https, with the `.local` name. */
  readonly local_url: string
  readonly program_names: readonly string[]
  readonly requires_auth: boolean
  readonly openapi_url?: string
}

/** RFC 6763 §6.1: one string of a TXT record holds 255 bytes. */
const longest = 255

/** Interpretation: a list of names that does not fit into its string is cut at a comma; who needs the rest reads /programs. */
export function toTxt(vtn: LocalVtn): string[] {
  const names: string[] = []
  for (const name of vtn.program_names) {
    // A comma in a name would be two names.
    if (name.includes(',') || Buffer.byteLength(`program_names=${[...names, name].join(',')}`) > longest) continue
    names.push(name)
  }
  return [
    `version=${vtn.version}`, `base_path=${vtn.base_path}`, `local_url=${vtn.local_url}`, `program_names=${names.join(',')}`, `requires_auth=${vtn.requires_auth ? 'True' : 'False'}`,
    ...(vtn.openapi_url === undefined ? [] : [`openapi_url=${vtn.openapi_url}`]),
  ].filter((text) => Buffer.byteLength(text) <= longest)
}

/** Tolerant: keys in any case and order, unknown ones ignored, a key given twice counts as first given (RFC 6763 §6.4). */
export function fromTxt(strings: readonly (string | Uint8Array)[]): Partial<LocalVtn> {
  const said = new Map<string, string>()
  for (const raw of strings) {
    const text = typeof raw === 'string' ? raw : Buffer.from(raw).toString('utf8'), at = text.indexOf('=')
    const key = text.slice(0, at).toLowerCase()
    if (at > 0 && !said.has(key)) said.set(key, text.slice(at + 1))
  }
  const plain = ['version', 'base_path', 'local_url', 'openapi_url'].flatMap((key) => (said.has(key) ? [[key, said.get(key)]] : []))
  const names = said.get('program_names'), auth = said.get('requires_auth')
  return {
    ...Object.fromEntries(plain) as Partial<LocalVtn>,
    ...(names === undefined ? {} : { program_names: names.split(',').filter(Boolean) }),
    ...(auth === undefined ? {} : { requires_auth: auth.toLowerCase() !== 'false' }),
  }
}
