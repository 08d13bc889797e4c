import { createServer } from 'node:net'

const free = (port: number): Promise<boolean> => new Promise((done) => {
  const probe = createServer().once('error', () => done(false)).listen(port, '127.0.0.1', () => probe.close(() => done(true)))
})

/** Eight free ports in a row, the contract's port base, for a test file that starts a whole server; each file looks from a place of its own. */
export async function portBase(from: number): Promise<number> {
  for (let base = from + (process.pid % 900) * 10; ; base += 16) if ((await Promise.all(Array.from({ length: 8 }, (_, i) => free(base + i)))).every(Boolean)) return base
}
