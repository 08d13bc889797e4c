import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Log } from '#core/port/log.js'
import { lfdiOf } from '#certs/lfdi.js'
import { checkDeviceCertificate } from '#certs/profile/device.js'
import type { DeviceCheck } from '#certs/profile/device.js'
import { trustOf } from '#certs/profile/trust.js'
import { certificatePem, certificatesFrom } from '#certs/x509/pem.js'

/** Self-signed certificates of single devices that the configuration names (SEP-208). They vouch for themselves and for nobody else. */
export interface Pinned {
  /** Upper-case hex. */
  readonly lfdis: ReadonlySet<string>
  /** PEM, for the `ca` of the 2030.5 listener alone: TLS must let the certificate itself through to the profile. What could stand as an authority there is left out. */
  readonly certificates: readonly string[]
}

/** Rules without which a certificate in a TLS trust list would speak for others, or for nothing. */
const neverInTls: ReadonlySet<string> = new Set(['malformed', 'version', 'selfSigned', 'basicConstraints'])

/** Where the list lies: the files and folders that the configuration names, else the usual folder. */
export const pinnedAt = (named: readonly string[], usual: string): readonly string[] => (named.length > 0 ? named : [usual])

/**
 * Certificates of files, and of the `.pem` files of folders; PEM or DER. What cannot be read or fails its profile is told and pins nothing: a bad file
 * must not keep in force what was taken away beside it.
 */
export async function readPinned(paths: readonly string[], usual: string, check: Pick<DeviceCheck, 'profile' | 'nowMs' | 'production'>, log: Log): Promise<Pinned> {
  const lfdis = new Set<string>(), certificates: string[] = []
  for (const file of (await Promise.all(paths.map((path) => filesOf(path, usual)))).flat()) {
    const found = await certificatesIn(file)
    if (found.length === 0) log.error({ file, clause: 'SEP-208' }, 'no certificate can be read there: nothing of it is pinned')
    for (const der of found) {
      const lfdi = lfdiOf(der), verdict = checkDeviceCertificate(der, { ...check, trust: trustOf(), pinned: new Set([lfdi]) })
      const failures = verdict.ok ? [] : verdict.failures
      if (failures.length > 0) log.warn({ file, lfdi, rules: failures.map((f) => f.rule), reason: failures.map((f) => `${f.clause}: ${f.sentence}`).join('; '), clause: 'SEP-208' }, 'a pinned certificate is not taken')
      lfdis.add(lfdi)
      if (!failures.some((f) => neverInTls.has(f.rule))) certificates.push(certificatePem(der))
    }
  }
  return { lfdis, certificates }
}

async function filesOf(path: string, usual: string): Promise<string[]> {
  try {
    return (await readdir(path)).filter((name) => name.endsWith('.pem')).sort().map((name) => join(path, name))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOTDIR') return [path]
    // the usual folder is made by whoever pins the first one
    if (code === 'ENOENT') return path === usual ? [] : [path]
    throw error
  }
}

async function certificatesIn(file: string): Promise<Buffer[]> {
  try { return certificatesFrom(await readFile(file)) } catch { return [] }
}
