import type { ComponentChildren } from 'preact'
import { auditors, certificates, dispatchers, keepers, money, staff, staffAndGrid } from './access.ts'
import { Audit } from './page/audit.tsx'
import { Baselines } from './page/baselines.tsx'
import { Conformance } from './page/conformance.tsx'
import { DevicePage } from './page/device.tsx'
import { Devices } from './page/devices.tsx'
import { DispatchPage, LivePage } from './page/dispatch.tsx'
import { Dispatches } from './page/dispatches.tsx'
import { Find } from './page/find.tsx'
import { Home } from './page/home.tsx'
import { NewCharger } from './page/new-charger.tsx'
import { NewDispatch } from './page/new-dispatch.tsx'
import { NewProgram } from './page/program/new-program.tsx'
import { ProgramPage } from './page/program/program.tsx'
import { Programs } from './page/programs.tsx'
import { ReadingsPage } from './page/readings.tsx'
import { Settings } from './page/settings.tsx'
import { DisputePage } from './page/settlement/dispute.tsx'
import { RunPage } from './page/settlement/run.tsx'
import { StatementPage } from './page/settlement/statement.tsx'
import { Settlement } from './page/settlement.tsx'
import { Vendors } from './page/vendors.tsx'
import { VerificationPage } from './page/verification.tsx'
import { Verification } from './page/verifications.tsx'
import { Webhooks } from './page/webhooks.tsx'

/** Every page, where it lives and who sees it (nobody named: everybody); the first that matches is shown. */
export const pages: readonly { pattern: string; roles?: readonly string[]; show: (params: Record<string, string>) => ComponentChildren }[] = [
  { pattern: '/', roles: staffAndGrid, show: () => <Home /> },
  { pattern: '/login', roles: staffAndGrid, show: () => <Home /> },
  { pattern: '/live', roles: staffAndGrid, show: () => <LivePage /> },
  { pattern: '/dispatches', roles: staffAndGrid, show: () => <Dispatches /> },
  { pattern: '/dispatches/new', roles: dispatchers, show: () => <NewDispatch /> },
  { pattern: '/dispatches/:id', roles: staffAndGrid, show: ({ id }) => <DispatchPage id={id!} /> },
  { pattern: '/devices', roles: staff, show: () => <Devices /> },
  { pattern: '/devices/new-charger', roles: keepers, show: () => <NewCharger /> },
  { pattern: '/devices/:id', roles: staff, show: ({ id }) => <DevicePage id={id!} /> },
  { pattern: '/find', roles: staff, show: () => <Find /> },
  { pattern: '/readings/:id', roles: staff, show: ({ id }) => <ReadingsPage id={id!} /> },
  { pattern: '/programs', roles: staffAndGrid, show: () => <Programs /> },
  { pattern: '/programs/new', roles: keepers, show: () => <NewProgram /> },
  { pattern: '/programs/:id', roles: staffAndGrid, show: ({ id }) => <ProgramPage id={id!} /> },
  { pattern: '/verification', roles: staffAndGrid, show: () => <Verification /> },
  { pattern: '/verification/:id', roles: staffAndGrid, show: ({ id }) => <VerificationPage id={id!} /> },
  { pattern: '/baselines', roles: staff, show: () => <Baselines /> },
  { pattern: '/settlement', roles: money, show: () => <Settlement /> },
  { pattern: '/settlement/:id', roles: money, show: ({ id }) => <RunPage id={id!} /> },
  { pattern: '/statements/:id', roles: money, show: ({ id }) => <StatementPage id={id!} /> },
  { pattern: '/disputes/:id', roles: staff, show: ({ id }) => <DisputePage id={id!} /> },
  { pattern: '/vendors', roles: certificates, show: () => <Vendors /> },
  { pattern: '/audit', roles: auditors, show: () => <Audit /> },
  { pattern: '/webhooks', roles: keepers, show: () => <Webhooks /> },
  { pattern: '/conformance', show: () => <Conformance /> },
  { pattern: '/settings', show: () => <Settings /> },
]
