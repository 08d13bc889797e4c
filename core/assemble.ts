import { availabilityIntake } from '#core/availability/declare.js'
import { cancelTask, deliverTask, type Channels } from '#core/dispatch/deliver.js'
import { controlTask } from '#core/dispatch/control-loop.js'
import { deliveryHappenings } from '#core/dispatch/happened.js'
import { commsCheckTask, endTask, expireReleaseTask, startTask } from '#core/dispatch/moments.js'
import { reallocateTask } from '#core/dispatch/reallocate.js'
import { timetable, type Handler, type Timetable } from '#core/dispatch/timetable.js'
import { optOutIntake } from '#core/opt-out/opt-out.js'
import { claimIntake } from '#core/flex/claim-baseline.js'
import { nominationExpiry, nominationTask } from '#core/flex/nomination.js'
import type { Clock } from '#core/port/clock.js'
import type { Ids } from '#core/port/ids.js'
import type { AvailabilityIntake, ClaimIntake, DeliveryHappenings, OptOutIntake, ReadingIntake, ResourceDirectory, UntoldIntake } from '#core/port/intake.js'
import type { Log } from '#core/port/log.js'
import type { Database } from '#core/port/store/index.js'
import { untraced, type Trace } from '#core/port/trace.js'
import type { CertificateStanding, DeviceCertificates } from '#core/program/claim.js'
import { failSafeProbe } from '#core/program/fail-safe.js'
import { moveTask } from '#core/program/move.js'
import { resourceDirectory } from '#core/program/directory.js'
import { untoldIntake } from '#core/reading/untold.js'
import { readingIntake } from '#core/reading/record.js'
import { sourceClocks } from '#core/reading/source-clock.js'
import { stopSwitch, type StopSwitch } from '#core/stop/stop.js'
import { tracedChannels, tracedTasks } from '#core/traced.js'
import { tokenBook, type TokenBook } from '#core/token/token.js'
import { verifyTask } from '#core/verification/verify.js'
import { Captures } from '#core/words/captures.js'
import { LastWords } from '#core/words/last-words.js'
import { transactions, type Means, type Transact } from '#core/work.js'

/** The core, put together: what doors call, what channels report to, and the clockwork. */
export interface Core {
  readonly database: Database
  readonly means: Means
  readonly transact: Transact
  readonly readings: ReadingIntake
  readonly availability: AvailabilityIntake
  readonly optOuts: OptOutIntake
  readonly claims: ClaimIntake
  readonly untold: UntoldIntake
  readonly happenings: DeliveryHappenings
  readonly directory: ResourceDirectory & { forget(): void }
  readonly stop: StopSwitch
  readonly tokens: TokenBook
  /** What devices last said and heard; filled by the doors (UX-049). */
  readonly words: LastWords
  /** Every frame of a device for a limited time (UX-077). */
  readonly captures: Captures
  readonly timetable: Timetable
  /**
   * Channels are handed in after the core exists, because they report back to it. More than one door may speak a protocol's
   * name only once.
   */
  connect(channels: Channels): void
  /** Who a device certificate is, in the words of the room that knows certificates (CORE-026); handed in like the channels. */
  recognise(devices: DeviceCertificates, standing?: CertificateStanding): void
  readonly devices: DeviceCertificates | undefined
}

export interface CoreNeeds {
  readonly database: Database
  readonly clock: Clock
  readonly ids: Ids
  readonly log: Log
  /** Further work of the timetable, by task name (webhooks, reports …). */
  readonly tasks?: (transact: Transact) => Readonly<Record<string, Handler>>
  /** From `clockWatch`: no new order while it names a reason (CORE-206). */
  readonly clockFault?: () => string | undefined
  readonly trace?: Trace
  readonly lease_ms?: number
  readonly concurrency?: number
}

export function assemble({ database, clock, ids, log, tasks, clockFault, trace = untraced, lease_ms, concurrency }: CoreNeeds): Core {
  const channels: { -readonly [P in keyof Channels]: Channels[P] } = {}
  let devices: DeviceCertificates | undefined, standing: CertificateStanding | undefined
  const means: Means = { clock, ids, log, clockFault, trace, failSafes: failSafeProbe(channels), get certificates() { return standing } }, transact = transactions(database, means), { stores } = database
  const captures = new Captures()
  const stop = stopSwitch({ transact, stores, channels, clock, log })
  return {
    database, means, transact, stop,
    readings: readingIntake(transact, sourceClocks(clock)), availability: availabilityIntake(transact), optOuts: optOutIntake(transact), claims: claimIntake(transact), untold: untoldIntake(transact), happenings: deliveryHappenings(transact, trace),
    directory: resourceDirectory(stores, clock), tokens: tokenBook(stores, clock), words: new LastWords(undefined, captures), captures,
    connect: (given) => { Object.assign(channels, tracedChannels(given, trace)) },
    recognise: (given, known) => {
      devices = given
      standing = known
    },
    get devices() { return devices },
    timetable: timetable({
      agenda: stores.agenda, clock, log, ...(lease_ms === undefined ? {} : { lease_ms }), ...(concurrency === undefined ? {} : { concurrency }),
      // in order of service (CORE-205): taking back first
      tasks: tracedTasks({
        cancel: cancelTask(transact, channels), start: startTask(transact), end: endTask(transact), deliver: deliverTask(transact, channels, stop),
        'comms-check': commsCheckTask(transact), reallocate: reallocateTask(transact), control: controlTask(transact), 'expire-release': expireReleaseTask(transact), verify: verifyTask(transact), move: moveTask(transact), [nominationTask]: nominationExpiry(transact), ...tasks?.(transact),
      }, trace),
    }),
  }
}
