import type { ComponentChildren } from 'preact'
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

/** Every page and where it lives; the first that matches is shown. */
export const pages: readonly { pattern: string; show: (params: Record<string, string>) => ComponentChildren }[] = [
  { pattern: '/', show: () => <Home /> },
  { pattern: '/login', show: () => <Home /> },
  { pattern: '/live', show: () => <LivePage /> },
  { pattern: '/dispatches', show: () => <Dispatches /> },
  { pattern: '/dispatches/new', show: () => <NewDispatch /> },
  { pattern: '/dispatches/:id', show: ({ id }) => <DispatchPage id={id!} /> },
  { pattern: '/devices', show: () => <Devices /> },
  { pattern: '/devices/new-charger', show: () => <NewCharger /> },
  { pattern: '/devices/:id', show: ({ id }) => <DevicePage id={id!} /> },
  { pattern: '/find', show: () => <Find /> },
  { pattern: '/readings/:id', show: ({ id }) => <ReadingsPage id={id!} /> },
  { pattern: '/programs', show: () => <Programs /> },
  { pattern: '/programs/new', show: () => <NewProgram /> },
  { pattern: '/programs/:id', show: ({ id }) => <ProgramPage id={id!} /> },
  { pattern: '/verification', show: () => <Verification /> },
  { pattern: '/verification/:id', show: ({ id }) => <VerificationPage id={id!} /> },
  { pattern: '/baselines', show: () => <Baselines /> },
  { pattern: '/settlement', show: () => <Settlement /> },
  { pattern: '/settlement/:id', show: ({ id }) => <RunPage id={id!} /> },
  { pattern: '/statements/:id', show: ({ id }) => <StatementPage id={id!} /> },
  { pattern: '/disputes/:id', show: ({ id }) => <DisputePage id={id!} /> },
  { pattern: '/vendors', show: () => <Vendors /> },
  { pattern: '/audit', show: () => <Audit /> },
  { pattern: '/webhooks', show: () => <Webhooks /> },
  { pattern: '/conformance', show: () => <Conformance /> },
  { pattern: '/settings', show: () => <Settings /> },
]
