import type { Procedure } from '#conformance/procedure.js'
import { procedures } from '#conformance/registry.js'
import { select } from '#conformance/select.js'

/** The run whose reports stand in `example/`: certificates at a server for tests that is called one in production, so that one procedure fails and one cannot be judged. */
export const exampleRun = { subject: 'csip', profile: 'csip', only: ['csip.cert.*', 'csip.limits'], with: ['production'] } as const
export const exampleSet = (): Procedure[] => select(procedures[exampleRun.subject], { profile: exampleRun.profile, only: exampleRun.only, smoke: false, seed: 0 })
