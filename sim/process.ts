import { systemClock } from '#core/port/clock.js'
import { runFleet, type Fleet, type FleetConfig } from '#sim/fleet.js'

/** What the parent asks; each question is answered once, under its number. */
export type Question = { readonly n: number; readonly ask: 'meters' | 'says' | 'connected' | 'stop' }
export type Start = { readonly start: FleetConfig }
export type Reply = { readonly n: number; readonly answer: unknown } | { readonly n: number; readonly failed: string }

/** The child's side of `forkFleet`: one fleet, driven by messages; it ends when its parent does. */
export function serveFleet(port: NodeJS.Process = process): void {
  let fleet: Fleet | undefined
  port.on('message', (message: Start | Question) => {
    if ('start' in message) { fleet = runFleet(message.start, { clock: systemClock }); return }
    void reply(message)
  })
  async function reply({ n, ask }: Question): Promise<void> {
    try {
      const answer = ask === 'stop' ? await fleet?.stop() : fleet?.[ask]()
      port.send?.({ n, answer: answer ?? null } satisfies Reply)
      if (ask === 'stop') port.disconnect?.()
    } catch (error) {
      port.send?.({ n, failed: (error as Error).message } satisfies Reply)
    }
  }
  port.on('disconnect', () => { void (fleet?.stop() ?? Promise.resolve()).finally(() => process.exit(0)) })
}
