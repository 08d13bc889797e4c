import { Client } from 'pg'

/** One thing that a device was told, apart from how far it has come. */
export interface Instruction {
  /** Which document it is; the same one restated keeps its key. */
  readonly key: string
  /** The delivery that it carries out; undefined where it belongs to no order. */
  readonly delivery: string | undefined
  /** All that the device obeys, as text: two forms are two different orders. */
  readonly form: string
  /** OCPP: the profile as sent, and whether the station refused it. */
  readonly profile?: unknown
  readonly refused: boolean
}

/** What the database holds of a story: it outlives the server. */
export interface Stored {
  /** Point, channel, start and length → Wh. */
  readonly readings: ReadonlyMap<string, number>
  /** Delivery → the order as the device is meant to hear it. */
  readonly orders: ReadonlyMap<string, string>
  /** Delivery → the device's name. */
  readonly devices: ReadonlyMap<string, string>
  readonly instructions: readonly Instruction[]
  readonly dispatches: number
}

/** Asked of the database itself, with no server of ours between. */
export async function stored(url: string): Promise<Stored> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    const rows = async <R extends object>(sql: string): Promise<R[]> => (await client.query<R>(sql)).rows
    const readings = await rows<{ point: string; channel: string; start: string; minutes: number; wh: number }>('select point, channel, start, minutes, wh from reading')
    const deliveries = await rows<{ id: string; order: object; name: string }>('select d.id, d."order", r.name from delivery d join resource r on r.tenant = d.tenant and r.id = d.resource')
    const documents = await rows<Document>(`select kind, id, body from document where kind in ('vtn/event', 'csip/DERControl', 'csms/ChargingProfile')`)
    return {
      readings: new Map(readings.map((r) => [`${r.point} ${r.channel} ${r.start} ${r.minutes}`, Number(r.wh)])),
      orders: new Map(deliveries.map((d) => [d.id, JSON.stringify(d.order)])),
      devices: new Map(deliveries.map((d) => [d.id, d.name])),
      instructions: documents.map(instruction),
      dispatches: (await rows('select id from dispatch')).length,
    }
  } finally {
    await client.end()
  }
}

interface Document { readonly kind: string; readonly id: string; readonly body: Record<string, never> & Body }
interface Body {
  readonly targets?: unknown; readonly intervalPeriod?: unknown; readonly intervals?: unknown
  readonly mRID?: string; readonly interval?: unknown; readonly DERControlBase?: unknown
  readonly profile?: { readonly id: number; readonly chargingProfilePurpose: string; readonly transactionId?: string; readonly chargingSchedule: readonly { readonly id: number }[] }
  readonly state?: string
}

function instruction({ kind, id, body }: Document): Instruction {
  const key = `${kind} ${id}`, of = (body as { delivery?: unknown }).delivery
  if (kind === 'vtn/event') return { key, delivery: id, refused: false, form: JSON.stringify([body.targets, body.intervalPeriod, body.intervals]) }
  if (kind === 'csip/DERControl') return { key, delivery: (of as { id?: string } | undefined)?.id, refused: false, form: JSON.stringify([body.mRID, body.interval, body.DERControlBase]) }
  const profile = body.profile!, { chargingProfilePurpose, transactionId, chargingSchedule } = profile
  return {
    // OCPP may ask for one profile of each purpose (K02, K03): each of them must say the same for ever
    key, delivery: of ? `${String(of)} ${chargingProfilePurpose} ${transactionId ?? ''}` : undefined,
    refused: body.state === 'rejected', profile, form: JSON.stringify(chargingSchedule.map(({ id: _, ...rest }) => rest)),
  }
}
