import type { Timer } from '#core/port/clock.js'
import { backoff } from '#ven-client/backoff.js'
import type { VtnClient } from '#ven-client/openadr/client.js'
import { isPermanent, isVtnError } from '#ven-client/openadr/error.js'
import { mqttReceiver, type MqttReceiver } from '#ven-client/openadr/mqtt.js'
import type { SubscriptionRequest } from '#ven-client/openadr/objects.js'

/** How a VEN wants to be told at once; polling goes on whatever becomes of it (OA-203). */
export interface PushOptions {
  /** MQTT, where the VTN offers it: its own roots to trust, or none. */
  readonly mqtt?: { readonly ca?: string; readonly insecure?: boolean }
  /** An address of ours that the VTN can reach and that a `webhookReceiver` answers; the agent keeps the subscription. */
  readonly webhook?: { readonly callbackUrl: string; readonly bearerToken?: string; /** Asks the VTN to sign (OA-131); one that does not know how leaves the member out. */ readonly hmacSecret?: string }
}

export interface Push {
  /** What works now. */
  readonly by: readonly ('mqtt' | 'webhook')[]
  stop(): Promise<void>
}

/** Subscribes by every way that is wanted and offered, and tries again later where that fails: a hint that never comes costs one poll. */
export function subscribePush(client: VtnClient, options: PushOptions & { venID: string; clientName: string; onHint: () => void; signal: AbortSignal }): Push {
  const { clock, log } = client, { signal } = options
  const by = new Set<'mqtt' | 'webhook'>(), timers = new Set<Timer>()
  let mqtt: MqttReceiver | undefined, stopped = false

  function keepTrying(what: 'mqtt' | 'webhook', work: () => Promise<boolean>): void {
    const wait = backoff(client.random)
    const attempt = (): void => {
      if (stopped || signal.aborted) return
      work().then((offered) => { if (offered) { by.add(what); options.onHint() } }, (error: unknown) => {
        if (isVtnError(error) && isPermanent(error)) { log.warn({ what, error: error.message }, 'the VTN does not push; polling goes on'); return }
        log.warn({ what, error: (error as Error).message }, 'push cannot be set up, will try again; polling goes on')
        const timer = clock.after(wait.next(undefined), () => { timers.delete(timer); attempt() })
        timers.add(timer)
      })
    }
    attempt()
  }

  if (options.mqtt) {
    keepTrying('mqtt', async () => {
      const made = await mqttReceiver(client, { venID: options.venID, ...options.mqtt, onHint: options.onHint })
      if (stopped) await made?.close()
      else mqtt = made
      return made !== undefined
    })
  }
  const { webhook } = options
  if (webhook) {
    keepTrying('webhook', async () => {
      const wanted: SubscriptionRequest = {
        clientName: options.clientName, ...(webhook.hmacSecret === undefined ? {} : { hmacSecret: webhook.hmacSecret }),
        objectOperations: [{ objects: ['EVENT', 'PROGRAM'], operations: ['CREATE', 'UPDATE', 'DELETE'], callbackUrl: webhook.callbackUrl, ...(webhook.bearerToken === undefined ? {} : { bearerToken: webhook.bearerToken }) }],
      }
      const ours = (await client.subscriptions({ clientName: options.clientName }, { signal })).filter((s) => s.objectOperations.some((o) => o.callbackUrl === webhook.callbackUrl))
      // Interpretation of OA-239: 3.0.1 subscribes by program, so we do to those that are there; what comes later is found by polling.
      const programs = client.dialect.revision === '3.0.1' ? (await client.programs({}, { signal })).map((p) => p.id) : [undefined]
      for (const programID of programs) {
        // One subscription, however often we start: an own one with this address is taken over, written again because its token may be new.
        const own = ours.find((s) => s.programID === programID), asked = programID === undefined ? wanted : { ...wanted, programID }
        await (own ? client.updateSubscription(own.id, asked, { signal }) : client.subscribe(asked, { signal }))
      }
      return programs.length > 0
    })
  }
  return {
    get by() { return [...by] },
    async stop() {
      stopped = true
      for (const timer of timers) timer.cancel()
      await mqtt?.close()
    },
  }
}
