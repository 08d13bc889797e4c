import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Agent, request } from 'undici'
import { Refusal } from '#core/error.js'
import type { RefusalKind } from '#core/error.js'
import { certificatePem, certificatesFrom, certificatesOf, deviceRequest, hardwareModuleName, hwSerialText, keyFromPem, keyPem, lfdiOf, newEcKey, pkcs12, readCertificate, sfdiOf, sfdiText } from '#certs/index.js'

/** `cert enroll`, `renew` and `batch`: the EST client side. */
interface Connection { readonly url: string; readonly ca?: string; readonly json?: boolean }

const text = (path: string): Promise<string> => readFile(path, 'utf8').catch(() => { throw new Refusal('notFound', `${path} cannot be read`) })

async function agentFor(connection: Connection, cert?: string, key?: string): Promise<Agent> {
  return new Agent({ connect: { ...(connection.ca ? { ca: await text(connection.ca) } : {}), ...(cert && key ? { cert: await text(cert), key: await text(key) } : {}) }, headersTimeout: 120_000, bodyTimeout: 120_000 })
}

const base = (url: string): string => `${url.replace(/\/+$/, '').replace(/\/\.well-known\/est$/, '')}`

const kindOf = (status: number): RefusalKind => status === 401 ? 'unauthenticated' : status === 403 ? 'forbidden' : status === 404 ? 'notFound' : status === 409 ? 'conflict' : status === 429 ? 'rateLimited' : status >= 500 ? 'unavailable' : 'invalid'

async function call(agent: Agent, url: string, body?: string, headers: Record<string, string> = {}): Promise<{ status: number; body: Buffer; retryAfter: string }> {
  const answer = await request(url, { dispatcher: agent, method: body === undefined ? 'GET' : 'POST', headers, ...(body === undefined ? {} : { body }) })
  const bytes = Buffer.from(await answer.body.arrayBuffer())
  if (answer.statusCode >= 400) throw new Refusal(kindOf(answer.statusCode), `the server answered ${answer.statusCode}: ${bytes.toString().trim().slice(0, 500)}`)
  return { status: answer.statusCode, body: bytes, retryAfter: String(answer.headers['retry-after'] ?? '') }
}

const pkcs10 = { 'content-type': 'application/pkcs10', 'content-transfer-encoding': 'base64' }
const unpack = (answer: { body: Buffer }): Buffer[] => certificatesOf(Buffer.from(answer.body.toString(), 'base64'))

async function chainOf(agent: Agent, url: string): Promise<Buffer[]> {
  return unpack(await call(agent, `${base(url)}/.well-known/est/cacerts`))
}

/** Key 0600 before the certificate, so that a certificate without its key never lies about. */
async function store(out: string, key: string, leaf: Buffer, chain: readonly Buffer[], p12?: Buffer): Promise<Record<string, string>> {
  const files = { key: join(out, 'device.key'), certificate: join(out, 'device.pem'), chain: join(out, 'chain.pem'), ...(p12 ? { p12: join(out, 'device.p12') } : {}) }
  await mkdir(out, { recursive: true, mode: 0o700 })
  await writeFile(files.key, key, { mode: 0o600 })
  await writeFile(files.certificate, certificatePem(leaf))
  await writeFile(files.chain, chain.map(certificatePem).join(''))
  if (p12 && files.p12) await writeFile(files.p12, p12, { mode: 0o600 })
  return files
}

function told(connection: Connection, leaf: Buffer, files: Record<string, string>): void {
  const lfdi = lfdiOf(leaf), { notAfterMs } = readCertificate(leaf), notAfter = new Date(notAfterMs).toISOString()
  const document = { lfdi, sfdi: sfdiText(sfdiOf(lfdi)), notAfter, files }
  process.stdout.write(connection.json ? `${JSON.stringify(document)}\n` : `LFDI ${lfdi}\nSFDI ${document.sfdi}\nkey          ${files['key']}\ncertificate  ${files['certificate']}\nchain        ${files['chain']}\n`
    + `${notAfter.startsWith('9999') ? 'It does not expire; renew it when its key may be known to others.' : `It ends ${notAfter}; renew it in the last third of that time.`}\n`
    + `Try it: curl -k --ciphers ECDHE-ECDSA-AES128-CCM8:@SECLEVEL=0 --tls-max 1.2 --cert ${files['certificate']} --key ${files['key']} https://localhost:8443/dcap\n`)
}

export async function enroll(options: Connection & {
  serial: string; pen?: string; hwType?: string; secretFile?: string; cert?: string; key?: string; out: string; p12PassphraseFile?: string
}): Promise<void> {
  const hwType = options.hwType ?? (options.pen ? `1.3.6.1.4.1.${options.pen}.1` : undefined)
  if (!hwType) throw new Refusal('invalid', 'name the maker: --pen or --hw-type')
  const secret = options.secretFile ? (await text(options.secretFile)).trim() : process.env['LOADSTONE_EST_SECRET']
  if (!secret && !(options.cert && options.key)) throw new Refusal('unauthenticated', 'a one-time secret (--secret-file or LOADSTONE_EST_SECRET) or a vendor certificate (--cert and --key) is needed')
  const agent = await agentFor(options, options.cert, options.key)
  try {
    // The key of an interrupted or waiting enrolment is used again: the server answers the same key with the same certificate.
    const kept = await readFile(join(options.out, 'device.key'), 'utf8').catch(() => undefined)
    const key = kept === undefined ? newEcKey() : keyFromPem(kept)
    await mkdir(options.out, { recursive: true, mode: 0o700 })
    await writeFile(join(options.out, 'device.key'), keyPem(key), { mode: 0o600 })
    const csr = await deviceRequest(key, { hwType, hwSerialNum: options.serial })
    const answer = await call(agent, `${base(options.url)}/.well-known/est/simpleenroll`, csr.toString('base64'), {
      ...pkcs10, ...(secret ? { authorization: `Basic ${Buffer.from(`${options.serial}:${secret}`).toString('base64')}` } : {}),
    })
    if (answer.status === 202) throw new Refusal('conflict', `an operator has to approve this device first; run the same command again after ${answer.retryAfter} s`)
    const [leaf] = unpack(answer), chain = await chainOf(agent, options.url)
    if (!leaf) throw new Refusal('unavailable', 'the answer holds no certificate')
    const p12 = options.p12PassphraseFile ? pkcs12(key, [leaf, ...chain], (await text(options.p12PassphraseFile)).trim()) : undefined
    told(options, leaf, await store(options.out, keyPem(key), leaf, chain, p12))
  } finally {
    await agent.close()
  }
}

export async function renew(options: Connection & { cert: string; key: string; out: string }): Promise<void> {
  const [current] = certificatesFrom(await text(options.cert)), name = current && hardwareModuleName(readCertificate(current))
  if (!name) throw new Refusal('invalid', `${options.cert} is not a device certificate: it has no hardwareModuleName`)
  const agent = await agentFor(options, options.cert, options.key)
  try {
    const key = newEcKey()
    const answer = await call(agent, `${base(options.url)}/.well-known/est/simplereenroll`, (await deviceRequest(key, { hwType: name.hwType, hwSerialNum: hwSerialText(name) })).toString('base64'), pkcs10)
    const [leaf] = unpack(answer)
    if (!leaf) throw new Refusal('unavailable', 'the answer holds no certificate')
    told(options, leaf, await store(options.out, keyPem(key), leaf, await chainOf(agent, options.url)))
  } finally {
    await agent.close()
  }
}

export async function batch(file: string, options: Connection & { vendor: string; cert: string; key: string; out: string }): Promise<void> {
  const content = await text(file), rows = content.trimStart().startsWith('[') || content.trimStart().startsWith('{') ? content : JSON.stringify(csvRows(content))
  const agent = await agentFor(options, options.cert, options.key)
  try {
    const answer = await call(agent, `${base(options.url)}/vendors/${encodeURIComponent(options.vendor)}/batch`, rows, { 'content-type': 'application/json' })
    await writeFile(options.out, answer.body, { mode: 0o600 })
    process.stdout.write(options.json ? `${JSON.stringify({ archive: options.out, bytes: answer.body.length })}\n` : `${options.out}: devices.csv tells LFDI, SFDI and PIN of each device, or why it was refused\n`)
  } finally {
    await agent.close()
  }
}

function csvRows(content: string): { hwSerialNum: string; publicKey: string }[] {
  const [head = '', ...lines] = content.trim().split(/\r?\n/), names = head.split(',').map((n) => n.trim())
  const serial = names.indexOf('hwSerialNum'), key = names.indexOf('publicKey')
  if (serial < 0 || key < 0) throw new Refusal('invalid', 'the first line of the CSV names hwSerialNum and publicKey')
  return lines.map((line) => { const cells = line.split(','); return { hwSerialNum: cells[serial]?.trim() ?? '', publicKey: cells[key]?.trim() ?? '' } })
}
