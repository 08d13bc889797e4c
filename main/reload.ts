import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock, Timer } from '#core/port/clock.js'
import type { Log } from '#core/port/log.js'
import type { Certificates } from '#main/certificates.js'
import type { Closing } from '#main/shape.js'

const every_ms = 10_000

/**
 * SEP-212, UX-076: what changes in the folder `pki/` (another manufacturer in `trusted/`, a pinned device, a renewed server certificate) is in use within ten
 * seconds, and at once on SIGHUP; nobody who is connected notices. A folder that cannot be read leaves everything as it was, and says so.
 */
export async function followFolder({ certificates, machine, log, closing }: { certificates: Certificates; machine: Clock; log: Log; closing: Closing }, hangup = !process.stdout.isTTY): Promise<void> {
  const { watched } = certificates
  let seen = await stampOf(watched), timer: Timer | undefined, stopped = false
  async function look(asked = false): Promise<void> {
    const now = await stampOf(watched)
    if (now === seen && !asked) return
    seen = now
    try {
      await certificates.reload()
      seen = await stampOf(watched)
      log.info({ clause: 'SEP-212' }, 'certificates read again')
    } catch (error) {
      log.error({ err: error, clause: 'SEP-212' }, 'the certificates could not be read again; the old ones stay in use')
    }
  }
  const next = (): void => { timer = machine.after(every_ms, () => { look().finally(() => { if (!stopped) next() }) }) }
  const onHangup = (): void => { void look(true) }
  if (hangup) process.on('SIGHUP', onHangup)
  next()
  closing.add('reload of certificates', () => {
    stopped = true
    timer?.cancel()
    process.off('SIGHUP', onHangup)
  })
}

/** Names, sizes and times of the certificates that are there: of files, and of the PEM files of folders. */
async function stampOf(paths: readonly string[]): Promise<string> {
  const of = async (file: string): Promise<string> => { const s = await stat(file).catch(() => undefined); return `${file} ${s?.size} ${s?.mtimeMs}` }
  const within = async (path: string): Promise<string[]> => {
    const names = await readdir(path).catch(() => undefined)
    return names ? Promise.all(names.filter((n) => n.endsWith('.pem')).sort().map((name) => of(join(path, name)))) : [await of(path)]
  }
  return (await Promise.all(paths.map(within))).flat().join('\n')
}
