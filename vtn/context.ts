import type { Clock } from '#core/port/clock.js'
import type { Ids } from '#core/port/ids.js'
import type { Log } from '#core/port/log.js'
import type { UnitOfWork } from '#core/port/store/index.js'
import type { DocumentStore } from '#core/port/store/document.js'
import type { Access } from '#vtn/access.js'
import type { VtnConfig } from '#vtn/config.js'
import type { Notices } from '#vtn/notice.js'
import type { Secrets } from '#vtn/secret.js'

/** What the behaviours of the nouns use; made once by `buildVtn`. */
export interface Context {
  readonly documents: DocumentStore
  readonly unitOfWork: UnitOfWork
  readonly clock: Clock
  readonly ids: Ids
  readonly log: Log
  readonly config: VtnConfig
  readonly secrets: Secrets
  readonly access: Access
  readonly notices: Notices
  /** Proves that a receiver owns its address (OA-121); throws `invalid`. */
  readonly challenge: (callbackUrl: string, bearerToken: string | undefined) => Promise<void>
}
