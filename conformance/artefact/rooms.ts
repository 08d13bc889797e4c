/** Who may import whom (style.md §1), as data. A room is a top folder; `wire` stands for every `<room>/wire/`. */
export const mayImport: Readonly<Record<string, readonly string[]>> = {
  'core': ['core'],
  'vtn': ['vtn', 'core', 'certs'],
  'csip-server': ['csip-server', 'core', 'certs'],
  'csms': ['csms', 'core', 'certs'],
  'wire': ['core/describe', 'core/quantity'],
  'ven-client': ['ven-client', 'vtn/wire', 'csip-server/wire', 'certs/lfdi', 'core/port/clock', 'core/port/log', 'core/describe', 'core/error', 'core/quantity'],
  'certs': ['certs', 'core/port', 'core/error', 'core/caller', 'core/describe', 'core/quantity'],
  'prisma': ['prisma', 'core'],
  'sim': ['sim', 'ven-client', 'vtn/wire', 'csip-server/wire', 'csms/wire', 'certs', 'core/port', 'core/quantity', 'core/describe', 'core/error'],
  'conformance': ['conformance', 'core', 'certs', 'vtn/wire', 'csip-server/wire', 'csms/wire', 'ven-client', 'sim'],
  'bench': ['bench', 'core', 'vtn', 'csip-server', 'csms', 'certs', 'ven-client', 'sim', 'prisma', 'main'],
  'cli': ['cli', 'core', 'ven-client', 'conformance', 'sim', 'certs', 'prisma', 'bench', 'main'],
  'deploy': ['deploy', 'core/package-root', 'cli/settings'],
  'main': ['main', 'core', 'vtn', 'csip-server', 'csms', 'certs', 'prisma', 'cli/settings'],
}

/** The same room's other parts; a wire file may also import the wire files beside it. */
export function roomOf(file: string): string {
  const wire = /^([a-z-]+)\/wire\//.exec(file)
  return wire ? 'wire' : (file.split('/')[0] as string).replace(/\.ts$/, '')
}

/** True when the arrow `file → target` (target like "core/port/clock") is one that the table allows. */
export function allowed(file: string, target: string): boolean {
  const room = roomOf(file)
  if (room === 'wire' && target.startsWith(`${file.split('/')[0]}/wire/`)) return true
  return (mayImport[room] ?? []).some((prefix) => target === prefix || target.startsWith(`${prefix}/`))
}

/** Arrows inside core: only core/operator may look at core/operator, and pure folders import no port. */
export function insideCore(file: string, target: string): boolean {
  return !file.startsWith('core/') || !target.startsWith('core/operator/') || file.startsWith('core/operator/')
}
