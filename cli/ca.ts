import type { Command } from 'commander'

interface Folder { dir: string; sealingKeyFile?: string; json?: boolean }

/** The offline side of the manufacturing PKI (SEP-230): `ca init`, `ca issue-mica`, `ca export`. */
export function registerCa(program: Command): void {
  const ca = program.command('ca').description('certificate authorities of IEEE 2030.5: root (SERCA) and issuing (MICA)')
    .addHelpText('before', 'Examples:\n  $ npx loadstone ca init --dir ./pki\n  $ npx loadstone ca issue-mica --dir ./pki --mca\n  $ npx loadstone ca export --dir ./pki > trust.pem\n')
  const folder = (command: Command): Command => command.requiredOption('--dir <folder>', 'folder of the authority; `serve` reads the same layout in DATA/pki')
    .option('--sealing-key-file <file>', 'key that seals private keys (else LOADSTONE_SEAL_KEY, else one is made in the folder)').option('--json', 'one JSON document on stdout')

  folder(ca.command('init').description('make a root; its key goes sealed to DIR/offline, keep that away from servers'))
    .addHelpText('before', 'Examples:\n  $ npx loadstone ca init --dir ./pki\n  $ npx loadstone ca init --dir ./pki --sealing-key-file ./seal.txt --json\n')
    .action(async (options: Folder) => {
      const { initSerca, certificatePem } = await import('#certs/index.js')
      const made = await initSerca(options.dir, await needsOf(options))
      print(options, { serca: `${options.dir}/serca.pem`, key: `${options.dir}/offline/serca.key.sealed`, certificate: certificatePem(made.certificate) },
        `The root is in ${options.dir}/serca.pem; its sealed key in ${options.dir}/offline.\nNext: loadstone ca issue-mica --dir ${options.dir}\n`)
    })

  folder(ca.command('issue-mica').description('make the issuing authority that signs devices'))
    .option('--mca', 'put a manufacturer CA between root and issuing CA').option('--replace', 'even though there is one')
    .addHelpText('before', 'Examples:\n  $ npx loadstone ca issue-mica --dir ./pki\n  $ npx loadstone ca issue-mica --dir ./pki --mca --replace\n')
    .action(async (options: Folder & { mca?: boolean; replace?: boolean }) => {
      const { issueMica, wholeChain, certificatePem } = await import('#certs/index.js')
      const made = await issueMica(options.dir, await needsOf(options), { mca: options.mca ?? false, replace: options.replace ?? false })
      print(options, { mica: `${options.dir}/mica.pem`, chain: `${options.dir}/chain.pem`, certificates: wholeChain(made).map(certificatePem) },
        `The issuing authority is in ${options.dir}/mica.pem, the chain in ${options.dir}/chain.pem.\nNext: copy the folder without offline/ to DATA/pki of the server that runs EST.\n`)
    })

  ca.command('export').description('print public certificates').requiredOption('--dir <folder>', 'folder of the authority')
    .option('--what <part>', 'chain, root or mica', 'chain').option('--format <form>', 'pem or p7', 'pem').option('--json', 'one JSON document on stdout')
    .addHelpText('before', 'Examples:\n  $ npx loadstone ca export --dir ./pki > trust.pem\n  $ npx loadstone ca export --dir ./pki --what root\n  $ npx loadstone ca export --dir ./pki --format p7 > chain.p7b\n')
    .action(async (options: { dir: string; what: string; format: string; json?: boolean }) => {
      const [{ readFile }, { join }, { Refusal }, { certificatesFrom, certificatePem, lfdiOf, toPem, certsOnly }] = await Promise.all([import('node:fs/promises'), import('node:path'), import('#core/error.js'), import('#certs/index.js')])
      const name = { chain: 'chain.pem', root: 'serca.pem', mica: 'mica.pem' }[options.what]
      if (!name) throw new Refusal('invalid', `--what is chain, root or mica, not '${options.what}'`)
      if (options.format !== 'pem' && options.format !== 'p7') throw new Refusal('invalid', `--format is pem or p7, not '${options.format}'`)
      const pem = await readFile(join(options.dir, name), 'utf8').catch(() => { throw new Refusal('notFound', `there is no ${name} in ${options.dir}: run ca init and ca issue-mica first`) })
      const certificates = certificatesFrom(pem)
      const text = options.format === 'p7' ? toPem('PKCS7', certsOnly(certificates)) : certificates.map(certificatePem).join('')
      print(options, { what: options.what, format: options.format, content: text, fingerprints: certificates.map(lfdiOf) }, text)
    })
}

/** What the folder functions need of the machine. */
async function needsOf(options: { sealingKeyFile?: string }) {
  const [{ readFile }, { systemClock }, { randomIds }, { silent }] = await Promise.all([import('node:fs/promises'), import('#core/port/clock.js'), import('#core/port/ids.js'), import('#core/port/log.js')])
  const sealingKey = options.sealingKeyFile ? (await readFile(options.sealingKeyFile, 'utf8')).trim() : process.env['LOADSTONE_SEAL_KEY'] ?? process.env['LOADSTONE_SEALING_KEY']
  return { ids: randomIds(systemClock.nowMs), nowMs: systemClock.nowMs(), log: silent, ...(sealingKey ? { sealingKey } : {}) }
}

function print(options: { json?: boolean }, document: object, text: string): void {
  process.stdout.write(options.json ? `${JSON.stringify(document)}\n` : text)
}
