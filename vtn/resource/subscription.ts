import { Refusal } from '#core/error.js'
import { sees, viewOf } from '#vtn/access.js'
import type { Behaviour } from '#vtn/behaviour.js'
import { idParameter, list, scalar } from '#vtn/query.js'
import { forgive } from '#vtn/webhook/endpoint.js'
import { kindOf, targetsOf, tidy, type Content } from '#vtn/stored.js'
import { objectTypes } from '#vtn/wire/field.js'
import type { SubscriptionRequest } from '#vtn/wire/subscription.js'

type Operation = SubscriptionRequest['objectOperations'][number]

const urls = (operations: readonly Operation[]): Map<string, string | undefined> =>
  new Map(operations.map((o) => [o.callbackUrl, o.bearerToken ?? undefined]))

/**
 * What the store's target column holds here: every pair of object type and target, '' = any, so that `objects` and 3.0.1's targets are
 * one look-up of the store (OA-064, OA-239). A type alone is written bare.
 */
const columnOf = (objects: readonly string[], targets: readonly string[]): string[] =>
  [...new Set(objects.flatMap((o) => targets.map((x) => (x === '' ? o : `${o}\u0001${x}`))))].filter((entry) => entry !== '')

export const subscription: Behaviour<SubscriptionRequest> = {
  parentOf: 'PROGRAM',
  filtersTargets: true,
  filter(query, { asked }) {
    const programID = idParameter(query, 'programID'), clientName = scalar(query, 'clientName'), objects = list(query, 'objects')
    const strange = objects?.find((o) => !(objectTypes as readonly string[]).includes(o))
    if (strange !== undefined) throw new Refusal('invalid', `query parameter objects has no type ${strange}`)
    return {
      ...(programID === undefined ? {} : { parent: programID }), ...(clientName === undefined ? {} : { where: { clientName } }),
      ...(objects === undefined && asked === undefined ? {} : { withAnyTarget: columnOf(objects ?? [''], asked ?? ['']) }),
    }
  },
  async admit({ context, content, old }) {
    const before = old ? urls(old.body['objectOperations'] as Operation[]) : new Map()
    for (const [url, bearerToken] of urls(content.objectOperations)) {
      const protocol = URL.canParse(url) ? new URL(url).protocol : ''
      const allowed = protocol === 'https:' || (protocol === 'http:' && context.config.webhooks?.allowHttp === true)
      if (!allowed) throw new Refusal('invalid', `callbackUrl must be https (OA-120)`, { faults: [{ path: '/objectOperations', reason: 'callbackUrl must be https' }] })
      if (!before.has(url)) await context.challenge(url, bearerToken)
    }
  },
  // OA-129: writing the subscription again gives its receiver a new start.
  async companions(stores, { caller, id, old }) {
    if (old) await forgive(stores, caller.tenant, id)
  },
  async place({ context, caller, content, old, unknown, surface }, stores) {
    if (content.programID !== undefined) {
      const program = await stores.documents.get<Content>(caller.tenant, kindOf.PROGRAM, content.programID)
      const seen = program && sees(viewOf('PROGRAM', caller, await context.access.grants(caller.subject)), program)
      if (!seen) throw new Refusal(unknown, `no program ${content.programID} (OA-091)`)
    }
    const seal = (plain: string): string => context.secrets.seal(plain, context.ids)
    // OA-132: secrets are sealed at rest.
    const objectOperations = content.objectOperations.map((o) => (o.bearerToken ? { ...o, bearerToken: seal(o.bearerToken) } : o))
    return {
      content: {
        ...tidy(content), objectOperations, clientID: old?.owner ?? caller.subject,
        ...(content.hmacSecret === undefined ? {} : { hmacSecret: seal(content.hmacSecret) }),
        _role: old ? old.body['_role'] : caller.role, _surface: old ? old.body['_surface'] : surface,
      },
      parent: content.programID ?? '', owner: old?.owner ?? caller.subject, targets: columnOf(['', ...content.objectOperations.flatMap((o) => o.objects)], ['', ...targetsOf(content)]),
    }
  },
}
