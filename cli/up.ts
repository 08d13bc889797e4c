import type { Command } from 'commander'

export interface UpOptions {
  exit?: boolean
  json?: boolean
  devices: string
  day?: string
  rate?: string
  db?: string
  data?: string
  keep?: boolean
  fresh?: boolean
  config?: string
}

/** `up`: what `npm start` runs: every server, a demo fleet, one order from beginning to end (contract §1, §5). */
export function registerUp(program: Command): void {
  program.command('up').description('the main job: every server, a demo fleet, one order from the first reading to the last cent')
    .option('--exit', 'end after the story; exit 0 only if every check held, else 3')
    .option('--json', 'one JSON document as the last line of stdout; all else on stderr')
    .option('--devices <n>', 'devices of all kinds together, at least one of each', '200')
    .option('--day <date>', 'day of the order, YYYY-MM-DD; default the next business day')
    .option('--rate <r>', 'time lapse, 1 = real time; default as fast as the fleet allows')
    .option('--db <url>', 'a PostgreSQL 15+ instead of the embedded one')
    .option('--data <dir>', 'data folder')
    .option('--keep', 'go on with the data folder: an unfinished story continues, a finished one gets a new order (default)')
    .option('--fresh', 'empty the data folder first; refused while a process uses it')
    .option('--config <file>', 'a loadstone.yaml')
    .addHelpText('before', 'Examples:\n  $ npx loadstone up\n  $ npx loadstone up --exit --json\n  $ npx loadstone up --devices 2000 --fresh\n')
    .action(async (options: UpOptions) => {
      const { up } = await import('#cli/story/run.js')
      process.exitCode = await up(options)
    })
}
