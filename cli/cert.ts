import type { Command } from 'commander'
import { urlWith } from '#cli/argument.js'

interface Connection { url: string; ca?: string; json?: boolean }

/** Device certificates from the command line: enrol and renew over EST, look into one, name it, many at once. */
export function registerCert(program: Command): void {
  const cert = program.command('cert').description('device certificates: enrol, renew, inspect, name')
    .addHelpText('before', 'Examples:\n  $ npx loadstone cert inspect device.pem --trust chain.pem\n  $ npx loadstone cert lfdi device.pem\n  $ npx loadstone cert enroll --url https://localhost:9443 --ca tls-ca.pem --serial EST-0001 --pen 32473 --secret-file secret.txt --out ./device\n')
  const connection = (command: Command): Command => command.requiredOption('--url <url>', 'EST door, e.g. https://localhost:9443', urlWith('https')).option('--ca <file>', 'root of the door\'s TLS certificate (PEM)').option('--json', 'one JSON document on stdout')

  connection(cert.command('enroll').description('make a key and get a certificate for it (EST simpleenroll)'))
    .requiredOption('--serial <hwSerialNum>', 'serial number of the device').option('--pen <number>', 'enterprise number of the maker; hwType is PEN.1').option('--hw-type <oid>', 'hwType, in place of --pen')
    .option('--secret-file <file>', 'file with the one-time secret (else LOADSTONE_EST_SECRET)').option('--cert <file>', 'vendor certificate, in place of a secret').option('--key <file>', 'its key')
    .option('--out <folder>', 'where key, certificate and chain go', '.').option('--p12-passphrase-file <file>', 'also write device.p12')
    .addHelpText('before', 'Examples:\n  $ npx loadstone cert enroll --url https://localhost:9443 --ca tls-ca.pem --serial EST-0001 --pen 32473 --secret-file secret.txt --out ./device\n  $ npx loadstone cert enroll --url https://localhost:9443 --ca tls-ca.pem --serial X1 --pen 32473 --cert vendor.pem --key vendor.key\n')
    .action(async (options: Connection & { serial: string; pen?: string; hwType?: string; secretFile?: string; cert?: string; key?: string; out: string; p12PassphraseFile?: string }) => {
      const { enroll } = await import('#cli/est-client.js')
      await enroll(options)
    })

  connection(cert.command('renew').description('replace a certificate by a new one with a new key (EST simplereenroll)'))
    .requiredOption('--cert <file>', 'current certificate').requiredOption('--key <file>', 'its key').option('--out <folder>', 'where the new ones go', '.')
    .addHelpText('before', 'Examples:\n  $ npx loadstone cert renew --url https://localhost:9443 --ca tls-ca.pem --cert device.pem --key device.key --out ./renewed\n')
    .action(async (options: Connection & { cert: string; key: string; out: string }) => {
      const { renew } = await import('#cli/est-client.js')
      await renew(options)
    })

  connection(cert.command('batch').description('certificates for many devices, as the vendor: CSV (hwSerialNum,publicKey) or JSON rows in, archive out').argument('<file>', 'CSV or JSON'))
    .requiredOption('--vendor <name>', 'name of the vendor').requiredOption('--cert <file>', 'vendor certificate').requiredOption('--key <file>', 'its key').option('--out <file>', 'archive to write', 'batch.tar.gz')
    .addHelpText('before', 'Examples:\n  $ npx loadstone cert batch devices.csv --url https://localhost:9443 --ca tls-ca.pem --vendor vendor-1 --cert vendor-1.pem --key vendor-1.key --out batch.tar.gz\n')
    .action(async (file: string, options: Connection & { vendor: string; cert: string; key: string; out: string }) => {
      const { batch } = await import('#cli/est-client.js')
      await batch(file, options)
    })

  cert.command('inspect').description('show a certificate and every rule of the device profile that it fails; exit 3 when it fails one').argument('<file>', 'PEM or DER, leaf first')
    .option('--trust <file...>', 'trusted roots and intermediates (PEM)', [] as string[]).option('--pinned <file...>', 'self-signed certificates that the server pins (SEP-208)', [] as string[]).option('--profile <name>', 'csip, csip-aus-1.2, csip-aus-1.3 or generic', 'csip').option('--test', 'accept test certificates').option('--json', 'one JSON document on stdout')
    .addHelpText('before', 'Examples:\n  $ npx loadstone cert inspect device.pem --trust chain.pem\n  $ npx loadstone cert inspect device.der --trust serca.pem mica.pem --profile csip-aus-1.3 --json\n  $ npx loadstone cert inspect gateway.pem --pinned gateway.pem\n')
    .action(async (file: string, options: { trust: string[]; pinned: string[]; profile: string; test?: boolean; json?: boolean }) => {
      const [{ readFile }, { Refusal }, { systemClock }, { certificatesFrom, explainCertificate, explanationText, lfdiOf, trustOf }] = await Promise.all([import('node:fs/promises'), import('#core/error.js'), import('#core/port/clock.js'), import('#certs/index.js')])
      if (!['csip', 'csip-aus-1.2', 'csip-aus-1.3', 'generic'].includes(options.profile)) throw new Refusal('invalid', `--profile is csip, csip-aus-1.2, csip-aus-1.3 or generic, not '${options.profile}'`)
      const read = (path: string): Promise<Buffer> => readFile(path).catch(() => { throw new Refusal('notFound', `${path} cannot be read`) })
      const bytes = await read(file), trust = trustOf(...await Promise.all(options.trust.map(read)))
      const pinned = new Set((await Promise.all(options.pinned.map(async (path) => { const pem = await read(path); return named(path, () => certificatesFrom(pem).map(lfdiOf)) }))).flat())
      const seen = named(file, () => explainCertificate(bytes, {
        profile: options.profile as 'csip', trust, pinned, nowMs: systemClock.nowMs(), production: !options.test,
      }))
      process.stdout.write(options.json ? `${JSON.stringify(seen)}\n` : explanationText(seen))
      process.exitCode = seen.verdict === 'accepted' ? 0 : 3
    })

  cert.command('lfdi').description('LFDI and SFDI of a certificate').argument('<file>', 'PEM or DER').option('--json', 'one JSON document on stdout')
    .addHelpText('before', 'Examples:\n  $ npx loadstone cert lfdi device.pem\n  $ npx loadstone cert lfdi device.der --json\n')
    .action(async (file: string, options: { json?: boolean }) => {
      const [{ readFile }, { Refusal }, { certificatesFrom }, { lfdiOf, sfdiOf, sfdiText }] = await Promise.all([import('node:fs/promises'), import('#core/error.js'), import('#certs/x509/pem.js'), import('#certs/lfdi.js')])
      const bytes = await readFile(file).catch(() => { throw new Refusal('notFound', `${file} cannot be read`) }), [der] = named(file, () => certificatesFrom(bytes))
      if (!der) throw new Refusal('invalid', `there is no certificate in ${file}`)
      const lfdi = lfdiOf(der), sfdi = sfdiText(sfdiOf(lfdi))
      process.stdout.write(options.json ? `${JSON.stringify({ lfdi, sfdi })}\n` : `LFDI ${lfdi}\nSFDI ${sfdi}\n`)
    })
}

/** What is wrong with a file's content is told with the file's name. */
function named<T>(file: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof Error) error.message = `${file}: ${error.message}`
    throw error
  }
}
