/** AddressType of 2.1. */
export interface Company {
  readonly name: string
  readonly address1: string
  readonly address2?: string
  readonly city: string
  readonly postalCode?: string
  readonly country: string
}

/** What a payment terminal says of money that moved, or did not (NotifySettlement of 2.1, C22). */
export interface Settlement {
  readonly transactionId?: string
  readonly pspRef: string
  readonly status: 'Settled' | 'Canceled' | 'Rejected' | 'Failed'
  readonly statusInfo?: string
  /** As the station wrote it: its own currency, a JSON number. */
  readonly settlementAmount: number
  readonly settlementTime: string
  readonly receiptId?: string
  readonly receiptUrl?: string
  readonly vatCompany?: Company
  readonly vatNumber?: string
}

/** Card and web payment at stations of 2.1 (C20…C25, OCPP-266): plug-ins. What a deployment does not have is answered NotSupported. */
export interface Payments {
  /** Whose VAT number it is; `valid: false` with why it is refused. */
  vat?(question: { readonly vatNumber: string; readonly station: string; readonly evseId?: number }): Promise<{ readonly valid: true; readonly company?: Company } | { readonly valid: false; readonly why?: string }>
  /** Hears of each settlement once it is kept; a receipt that the CSMS makes goes back to the driver. */
  settled?(settlement: Settlement & { readonly station: string }): Promise<{ readonly receiptUrl?: string; readonly receiptId?: string } | undefined>
  /** Hears of batteries that went in and came out (block S). */
  swapped?(swap: { readonly station: string; readonly requestId: number; readonly eventType: string; readonly batteryData: readonly object[] }): Promise<void>
}

/** The actions that these plug-ins answer. */
export const pluggedIn = ({ vat, settled, swapped }: Payments): ReadonlySet<string> =>
  new Set([...(vat ? ['VatNumberValidation'] : []), ...(settled ? ['NotifySettlement'] : []), ...(swapped ? ['BatterySwap'] : [])])
