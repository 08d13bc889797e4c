import type { Clock } from '#core/port/clock.js'
import type { Log } from '#core/port/log.js'
import { atMost } from '#csms/at-most.js'
import { handler, type Handler } from '#csms/handler.js'
import type { Journal } from '#csms/journal.js'
import type { Payments, Settlement } from '#csms/payments.js'

const in21 = ['2.1'] as const
/** A plug-in must not hold a station's CALL longer. */
const patience_ms = 20_000

/** C22, C25 (OCPP-266): settlements of payment terminals, VAT numbers for receipts. Offered only where there is a plug-in (`wire/offered.ts`). */
export function payment({ clock, log, journal, payments = {} }: { clock: Clock; log: Log; journal: Journal; payments?: Payments }): Handler[] {
  return [
    handler<Settlement>('NotifySettlement', async (station, s) => {
      // A repetition says the same of the same reference: it takes the place of the first (REL-050).
      await journal.write([{
        tenant: station.tenant, kind: 'csms/Settlement', id: `${station.identity}/${s.pspRef}/${s.status}/${s.settlementTime}`, parent: station.identity,
        sort1: Math.floor(Date.parse(s.settlementTime) / 1000), body: { ...s, receivedAt: clock.nowMs() },
      }])
      const receipt = await atMost(clock, patience_ms, payments.settled?.({ ...s, station: station.identity }))
      return { ...(receipt?.receiptUrl === undefined ? {} : { receiptUrl: receipt.receiptUrl }), ...(receipt?.receiptId === undefined ? {} : { receiptId: receipt.receiptId }) }
    }, in21),
    handler<{ vatNumber: string; evseId?: number }>('VatNumberValidation', async (station, { vatNumber, evseId }) => {
      const verdict = await atMost(clock, patience_ms, payments.vat?.({ vatNumber, station: station.identity, ...(evseId === undefined ? {} : { evseId }) }))
      const asked = { vatNumber, ...(evseId === undefined ? {} : { evseId }) }
      if (verdict?.valid) return { ...asked, status: 'Accepted', ...(verdict.company ? { company: verdict.company } : {}) }
      log.info({ station: station.identity, clause: 'C25' }, verdict ? 'a VAT number was refused' : 'no answer about a VAT number')
      // Interpretation: a back end that is silent is a Rejected too, as no receipt may bear a number that nobody has checked.
      return { ...asked, status: 'Rejected', statusInfo: { reasonCode: verdict ? 'InvalidValue' : 'Timeout', ...(verdict?.why === undefined ? {} : { additionalInfo: verdict.why.slice(0, 1024) }) } }
    }, in21),
  ]
}
