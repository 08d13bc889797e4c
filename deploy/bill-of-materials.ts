interface Locked { readonly version: string; readonly integrity?: string; readonly dev?: boolean; readonly link?: boolean; readonly license?: string }

interface Component {
  readonly type: 'library'
  readonly name: string
  readonly version: string
  readonly purl: string
  readonly hashes: readonly { readonly alg: 'SHA-512'; readonly content: string }[]
  readonly licenses?: readonly { readonly license: { readonly id: string } }[]
}

/** SEC-067: CycloneDX 1.5 of what is shipped, from the lock file alone; the same lock gives the same bill. */
export function billOfMaterials(lock: { readonly packages: Readonly<Record<string, Locked>> }, program: { readonly name: string; readonly version: string }) {
  const components = new Map<string, Component>()
  for (const [path, { version, integrity = '', dev, link, license }] of Object.entries(lock.packages)) {
    if (path === '' || dev || link) continue
    const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length), purl = `pkg:npm/${name.replace('@', '%40')}@${version}`
    components.set(purl, {
      type: 'library', name, version, purl, hashes: [{ alg: 'SHA-512', content: Buffer.from(integrity.replace('sha512-', ''), 'base64').toString('hex') }],
      ...(license && /^[\w.-]+$/.test(license) ? { licenses: [{ license: { id: license } }] } : {}),
    })
  }
  return {
    bomFormat: 'CycloneDX', specVersion: '1.5', version: 1, metadata: { component: { type: 'application', ...program } },
    components: [...components.values()].sort((a, b) => (a.purl < b.purl ? -1 : 1)),
  } as const
}
