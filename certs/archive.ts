import { gzipSync } from 'node:zlib'
import type { BatchResult } from '#certs/enrol.js'
import { pinText, sfdiText } from '#certs/lfdi.js'
import { certificatePem } from '#certs/x509/pem.js'

/** POSIX ustar (IEEE Std 1003.1 pax interchange §ustar), regular files only. */
export function tar(files: readonly { readonly name: string; readonly content: string }[], atMs: number): Buffer {
  const blocks: Buffer[] = []
  for (const { name, content } of files) {
    const body = Buffer.from(content), header = Buffer.alloc(512)
    const put = (text: string, at: number): void => { header.write(text, at, 'latin1') }
    const octal = (n: number, digits: number): string => n.toString(8).padStart(digits, '0')
    put(name.slice(0, 100), 0)
    put(`${octal(0o644, 7)}\0${octal(0, 7)}\0${octal(0, 7)}\0`, 100)
    put(`${octal(body.length, 11)}\0${octal(Math.floor(atMs / 1000), 11)}\0        0`, 124)
    put('ustar\x0000', 257)
    put(`${octal(header.reduce((sum, octet) => sum + octet, 0), 6)}\0 `, 148)
    blocks.push(header, body, Buffer.alloc((512 - (body.length % 512)) % 512))
  }
  return Buffer.concat([...blocks, Buffer.alloc(1024)])
}

/** What a vendor takes to the factory (SEP-232): every certificate, and a table of LFDI, SFDI and PIN; refused rows by name. */
export function batchArchive(results: readonly BatchResult[], chain: string, atMs: number): Buffer {
  const cell = (text: string): string => /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
  const rows = results.map((r) => r.ok
    ? [String(r.row), cell(r.issued.hwSerialNum), r.issued.lfdi, sfdiText(r.issued.sfdi), pinText(r.issued.pin), `certificates/${r.issued.lfdi}.pem`, '']
    : [String(r.row), '', '', '', '', '', cell(r.reason)])
  const table = [['row', 'hwSerialNum', 'lfdi', 'sfdi', 'pin', 'file', 'refused'], ...rows].map((row) => `${row.join(',')}\n`).join('')
  return gzipSync(tar([
    { name: 'devices.csv', content: table }, { name: 'chain.pem', content: chain },
    ...results.flatMap((r) => r.ok ? [{ name: `certificates/${r.issued.lfdi}.pem`, content: certificatePem(r.issued.der) }] : []),
  ], atMs), { level: 1 })
}
