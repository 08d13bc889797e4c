import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { readSettings } from '#cli/settings.js'
import { isRefusal } from '#core/error.js'
import { systemClock } from '#core/port/clock.js'
import { silent } from '#core/port/log.js'
import { build } from '#main.js'

const doors = { operator: 'operatorPort', vtn: 'vtnPort', csip: 'csipPort', est: 'estPort', ocppTls: 'ocppTlsPort', mqtt: 'mqttPort' } as const

t.test('UX-013 a port that something else has: each door says which, and what to do', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'loadstone-listen-')), at = (...parts: string[]): string => join(folder, ...parts)
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  t.teardown(() => { taken.close(); rmSync(folder, { recursive: true, force: true }) })
  const { port } = taken.address() as AddressInfo, none = Object.fromEntries([...Object.values(doors), 'ocppPort'].map((name) => [name, 0]))
  for (const [door, setting] of Object.entries(doors)) {
    const { settings } = await readSettings({ data: folder, ...none, [setting]: port }, {}, { host: 'loopback' })
    const error = await build({ settings, data: { path: folder, at }, clock: systemClock, log: silent }).then(async (server) => { await server.stop(); return undefined }, (e: unknown) => e)
    t.ok(isRefusal(error) && error.kind === 'unavailable', door)
    t.match((error as Error | undefined)?.message, new RegExp(`cannot listen on port ${port}: something else does\\. Stop it, or set LOADSTONE_PORT_BASE`), door)
  }
})
