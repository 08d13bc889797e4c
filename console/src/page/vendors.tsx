import { all, get, type List } from '../api.ts'
import { useLoad } from '../live.ts'
import { may, serverNow } from '../session.ts'
import { t } from '../text/index.ts'
import { Await } from '../part/basics.tsx'
import { Accounts } from './vendor/accounts.tsx'
import { Board } from './vendor/board.tsx'
import type { Certificate, Vendor, Waiting } from './vendor/certificate.ts'
import { Explain } from './vendor/explain.tsx'
import { NewVendor } from './vendor/new-vendor.tsx'
import { Queue } from './vendor/queue.tsx'
import { Secrets } from './vendor/secrets.tsx'

/** Makers of devices and what they were given: who waits first, then what ends, then who there is. */
export function Vendors() {
  const found = useLoad(
    async () => {
      const [vendors, waiting, certificates] = await Promise.all([
        get<List<Vendor>>('/vendors'),
        get<List<Waiting>>('/enrolment-requests'),
        all<Certificate>('/certificates'),
      ])
      return { vendors: vendors.items, waiting: waiting.items, certificates, at: new Date(serverNow()).toISOString() }
    },
    [],
    { every: 15_000 },
  )
  return (
    <>
      <h1>{t('vendor.list')}</h1>
      <Await of={found}>
        {({ vendors, waiting, certificates, at }) => (
          <>
            <Queue waiting={waiting} reload={found.reload} />
            <Board certificates={certificates} at={at} reload={found.reload} />
            <Explain />
            <Accounts vendors={vendors} />
            {may('admin', 'caOfficer') && (
              <div class="columns">
                <NewVendor reload={found.reload} />
                {vendors.length > 0 && <Secrets vendors={vendors} />}
              </div>
            )}
          </>
        )}
      </Await>
    </>
  )
}
