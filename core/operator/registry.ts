import { assetRoutes } from '#core/operator/assets.js'
import { availabilityRoutes } from '#core/operator/availability.js'
import { baselineRoutes } from '#core/operator/baseline.js'
import { controlRoutes } from '#core/operator/control.js'
import { dispatchRoutes } from '#core/operator/dispatch.js'
import { enrolmentRoutes } from '#core/operator/enrolment.js'
import { findRoutes } from '#core/operator/find.js'
import { gamingRoutes } from '#core/operator/gaming.js'
import { kpiRoutes } from '#core/operator/kpi.js'
import { marketRoutes } from '#core/operator/market.js'
import { noticeRoutes } from '#core/operator/notice.js'
import { onboardingRoutes } from '#core/operator/onboarding.js'
import { overviewRoutes } from '#core/operator/overview.js'
import { privacyRoutes } from '#core/operator/privacy.js'
import { programRoutes } from '#core/operator/program.js'
import { progressRoutes } from '#core/operator/progress.js'
import { readingRoutes } from '#core/operator/reading.js'
import type { OperatorRoute } from '#core/operator/route.js'
import { deviceNoteRoutes } from '#core/operator/device-note.js'
import { wordRoutes } from '#core/operator/words.js'
import { scheduleRoutes } from '#core/operator/schedule.js'
import { userRoutes } from '#core/operator/user.js'
import { settlementRoutes } from '#core/operator/settlement.js'
import { webhookRoutes } from '#core/operator/webhook.js'

/** Everything the operator's door says, readable aloud: contract §6. A new resource is a file and a line here. */
export const registry: readonly OperatorRoute[] = [
  ...overviewRoutes, ...findRoutes, ...wordRoutes, ...deviceNoteRoutes, ...programRoutes, ...assetRoutes, ...enrolmentRoutes, ...availabilityRoutes, ...dispatchRoutes, ...progressRoutes,
  ...readingRoutes, ...baselineRoutes, ...kpiRoutes, ...gamingRoutes, ...settlementRoutes, ...marketRoutes, ...webhookRoutes, ...noticeRoutes, ...onboardingRoutes, ...privacyRoutes, ...controlRoutes, ...userRoutes,
  ...scheduleRoutes,
]
