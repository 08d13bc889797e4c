import { scalar } from '#vtn/query.js'
import type { Behaviour } from '#vtn/behaviour.js'
import { checkProgram } from '#vtn/profile/grid-aware-charging.js'
import { aimedAt, tidy } from '#vtn/stored.js'
import type { ProgramRequest } from '#vtn/wire/program.js'

export const program: Behaviour<ProgramRequest> = {
  children: ['EVENT', 'SUBSCRIPTION'],
  taken: 'a program of this programName exists (OA-090)',
  // OA-062: look-up by name, as the Californian price server offers it.
  filter(query) {
    const programName = scalar(query, 'programName')
    return programName === undefined ? {} : { key: programName }
  },
  async admit({ context, content }) {
    if (context.config.validation?.gridAwareCharging) checkProgram(content)
  },
  place: async ({ content }) => ({ content: tidy(content), key: content.programName, targets: aimedAt(content) }),
}
