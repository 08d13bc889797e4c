import type { Clock } from '#core/port/clock.js'
import type { Ids } from '#core/port/ids.js'
import type { AvailabilityIntake, DeliveryHappenings, OptOutIntake, ReadingIntake, ResourceDirectory } from '#core/port/intake.js'
import type { Log } from '#core/port/log.js'
import type { DocumentStore } from '#core/port/store/document.js'
import type { CsipConfig } from '#csip-server/config.js'

/** The doors of core that this room speaks to (style.md §10, rows 8 and 9). */
export interface CsipIntake {
  readonly readings: ReadingIntake
  readonly happenings: DeliveryHappenings
  readonly availability: AvailabilityIntake
  readonly optOuts: OptOutIntake
  readonly directory: ResourceDirectory
}

/** One alarm of a DER, by the name of its kind; core has no word for it, so whoever builds the door decides who hears of it. */
export interface DerAlarm {
  readonly lfdi: string
  readonly alarm: string
  readonly raised: boolean
  /** Epoch seconds, as the device says. */
  readonly at: number
}

/** What the behaviours of this room work with. */
export interface CsipContext {
  readonly tenant: string
  readonly documents: DocumentStore
  readonly intake: CsipIntake
  readonly clock: Clock
  readonly ids: Ids
  readonly log: Log
  readonly config: CsipConfig
  /** Told when a DER raises or ends an alarm (SEP-188). */
  readonly alarm?: ((alarm: DerAlarm) => void) | undefined
  /** Told how many readings older than the retention were dropped (SEP-175). */
  readonly tooOld: (readings: number) => void
  /** The server's own certificate as a device (SEP-109). */
  readonly self: { readonly lFDI: string; readonly sFDI: number }
  /** Keeps what `make` gave until a document of that kind changes. */
  readonly recall: <T>(kind: string, key: string, make: () => Promise<T>) => Promise<T>
}
