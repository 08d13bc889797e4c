/**
 * What a VEN reads and writes, as far as it looks (OpenADR 3.1 Definition). A reader is tolerant: everything else that a VTN
 * sends is kept and ignored (OA-206), so these are shapes to look at, not descriptions to validate with.
 */
export type Value = number | string | boolean | { readonly x: number; readonly y: number }

export interface ValuesMap {
  readonly type: string
  readonly values: readonly Value[]
}

export interface IntervalPeriod {
  readonly start?: string
  readonly duration?: string
  readonly randomizeStart?: string
}

export interface Interval {
  readonly id: number
  readonly intervalPeriod?: IntervalPeriod
  readonly payloads: readonly ValuesMap[]
}

export interface PayloadDescriptor {
  readonly objectType?: string
  readonly payloadType: string
  readonly units?: string | null
  readonly currency?: string | null
  readonly readingType?: string | null
}

export interface ReportDescriptor {
  readonly payloadType: string
  readonly readingType?: string | null
  readonly units?: string | null
  readonly targets?: readonly string[] | null
  readonly aggregate?: boolean
  readonly startInterval?: number
  readonly numIntervals?: number
  readonly historical?: boolean
  readonly frequency?: number
  readonly repeat?: number
  readonly reportIntervals?: 'INTERVALS' | 'SUB_INTERVALS' | 'OPEN_INTERVALS'
}

/** What the VTN adds to every object (OA-051). */
export interface Stored {
  readonly id: string
  readonly createdDateTime?: string
  readonly modificationDateTime?: string
  readonly objectType?: string
}

export interface Program extends Stored {
  readonly programName: string
  readonly intervalPeriod?: IntervalPeriod
  readonly payloadDescriptors?: readonly PayloadDescriptor[] | null
  readonly targets?: readonly string[] | null
}

export interface Event extends Stored {
  readonly programID: string
  readonly eventName?: string | null
  readonly duration?: string
  readonly priority?: number | null
  readonly targets?: readonly string[] | null
  readonly reportDescriptors?: readonly ReportDescriptor[] | null
  readonly payloadDescriptors?: readonly PayloadDescriptor[] | null
  readonly intervalPeriod?: IntervalPeriod
  readonly intervals?: readonly Interval[] | null
}

export interface ReportResource {
  readonly resourceName: string
  readonly intervalPeriod?: IntervalPeriod
  readonly intervals: readonly Interval[]
}

export interface ReportRequest {
  readonly eventID: string
  /** Sent to 3.0.1 only, which wants it; asked of the event when it is left out (OA-238). */
  readonly programID?: string
  readonly clientName: string
  readonly reportName?: string | null
  readonly payloadDescriptors?: readonly PayloadDescriptor[] | null
  readonly resources: readonly ReportResource[]
}

export type Report = ReportRequest & Stored

export interface Ven extends Stored {
  readonly clientID?: string
  readonly venName: string
  readonly targets?: readonly string[] | null
  readonly attributes?: readonly ValuesMap[] | null
}

export interface Resource extends Stored {
  readonly resourceName: string
  readonly venID: string
  readonly targets?: readonly string[] | null
  readonly attributes?: readonly ValuesMap[] | null
}

export interface SubscriptionRequest {
  readonly clientName: string
  readonly programID?: string
  readonly targets?: readonly string[] | null
  readonly objectOperations: readonly {
    readonly objects: readonly string[]
    readonly operations: readonly string[]
    readonly callbackUrl: string
    readonly bearerToken?: string | null
  }[]
}

/** What webhooks and MQTT carry (OA-122); for us only a hint to poll (OA-203). */
export interface Notification {
  readonly objectType: string
  readonly operation: string
  readonly object: unknown
}

/** `GET /notifiers` (OA-134, OA-135). */
export interface Notifiers {
  readonly WEBHOOK?: boolean
  readonly MQTT?: {
    readonly URIS: readonly string[]
    readonly serialization?: string
    readonly authentication?: {
      readonly method: string
      readonly username?: string
      readonly caCert?: string
      readonly clientCert?: string
      readonly clientKey?: string
    }
  }
}
