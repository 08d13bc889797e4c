import type { Resolved } from '#core/config.js'
import type { Clock } from '#core/port/clock.js'
import type { Log } from '#core/port/log.js'
import type { Database } from '#core/port/store/index.js'
import type { Core } from '#core/assemble.js'
import type { PkiFolder } from '#certs/index.js'
import type { Settings } from '#cli/settings.js'
import type { Csip } from '#csip-server/server.js'
import type { Csms } from '#csms/server.js'
import type { Vtn } from '#vtn/server.js'
import type { Certificates } from '#main/certificates.js'

export type Door = 'vtn' | 'csip' | 'csms' | 'est' | 'operator'

export interface BuildOptions {
  readonly settings: Settings
  readonly resolved?: readonly Resolved[]
  /** `shared`: another living process uses the folder too. */
  readonly data: { readonly path: string; at(...parts: string[]): string; shared?(): boolean }
  readonly clock: Clock
  readonly log: Log
  readonly only?: readonly Door[]
  readonly seed?: 'conformance' | 'demo'
  readonly environment?: Readonly<Record<string, string | undefined>>
  /** REL-004: wait for an absent database instead of giving up; `signal` ends the waiting. */
  readonly waitForDatabase?: boolean
  readonly signal?: AbortSignal
}

/** The one line that `serve` prints (contract §3). A door that is off is left out. */
export interface ReadyLine {
  readonly ready: true
  readonly operator?: string
  readonly vtn?: string
  readonly vtnHttp?: string
  readonly csip?: string
  readonly est?: string
  readonly ocpp?: string
  readonly ocppTls?: string
  readonly mqtt?: string
  readonly pki: string
  readonly operatorToken?: string
  /** Where the first person is made, once, while there is none (SEC-068). */
  readonly setup?: string
}

/** A running Loadstone. The rooms are there for seeds, for provisioning a demo, and for tests. */
export interface Loadstone {
  readonly ready: ReadyLine
  readonly database: Database
  readonly core: Core
  readonly pki: PkiFolder
  /** Which certificates were issued, and whose devices may ask for one. */
  readonly certificates: Pick<Certificates, 'registry' | 'vendors'>
  readonly vtn: Vtn
  readonly csip: Csip
  readonly csms: Csms
  stop(): Promise<void>
}

/** One tenant is made by itself; more are made by an administrator. */
export const firstTenant = 'main'

/** Things to close, last opened first; one that fails or does not end does not keep the others open (REL-003). */
export class Closing {
  /** Machine milliseconds for each thing, and for all of them together: a supervisor that waits ten seconds finds everything closed. */
  constructor(readonly patience_ms = 5000, readonly whole_ms = 6500) {}

  readonly #steps: { what: string; close: () => Promise<unknown> | unknown; more_ms: number }[] = []
  /** `more_ms`: what a thing that takes its time on purpose is given beyond the patience. */
  add(what: string, close: () => Promise<unknown> | unknown, more_ms = 0): void {
    this.#steps.push({ what, close, more_ms })
  }
  async run(log: Log): Promise<void> {
    const steps = this.#steps.splice(0).toReversed()
    let left_ms = this.whole_ms
    for (const { what, close, more_ms } of steps) {
      // what is closed late still gets a moment: the last is the database
      const patience_ms = Math.max(Math.min(this.patience_ms, left_ms), this.patience_ms / 10) + more_ms, begun = performance.now()
      let late: NodeJS.Timeout | undefined
      const hung = new Promise<never>((_, fail) => { late = setTimeout(() => fail(new Error(`did not end within ${patience_ms} ms`)), patience_ms) })
      try {
        await Promise.race([close(), hung])
      } catch (error) {
        log.error({ err: error, what }, 'could not be closed')
      } finally {
        clearTimeout(late)
        left_ms -= Math.max(0, performance.now() - begun - more_ms)
      }
    }
  }
}
