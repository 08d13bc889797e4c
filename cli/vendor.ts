import type { Command } from 'commander'
import { act, collect, noun, verb, type OperatorOptions } from '#cli/operator-noun.js'

/** Makers whose devices may enrol for certificates, and the one-time secrets that they get. */
export function registerVendor(program: Command): void {
  const own = noun(program, 'vendor', 'makers whose devices may enrol', ['vendor list', 'vendor create acme --pen 32473', 'vendor secrets acme --serial A-001 --serial A-002'])
  verb(own, 'list', 'all', 'vendor list').action((o: OperatorOptions) => act(o, async (c) => (await c.call<{ items: unknown[] }>('GET', '/vendors')).items))
  verb(own, 'create <name>', 'let a maker enrol devices', 'vendor create acme --pen 32473').requiredOption('--pen <number>', 'private enterprise number').option('--fingerprint <sha256>', 'certificate that speaks for it (repeat)', collect, [])
    .action((name: string, o: OperatorOptions & { pen: string; fingerprint: string[] }) => act(o, (c) => c.call('POST', '/vendors', { name, pen: Number(o.pen), ...(o.fingerprint.length > 0 ? { fingerprints: o.fingerprint } : {}) })))
  verb(own, 'secrets <name>', 'one-time secrets for EST, one for each serial number; shown this once', 'vendor secrets acme --serial A-001 --json').requiredOption('--serial <hwSerialNum>', 'serial number (repeat)', collect, []).option('--expires <seconds>', 'life')
    .action((name: string, o: OperatorOptions & { serial: string[]; expires?: string }) => act(o, (c) => c.call('POST', `/vendors/${encodeURIComponent(name)}/secrets`, { hwSerialNums: o.serial, ...(o.expires ? { expiresIn_s: Number(o.expires) } : {}) })))
}
