/** Every word of the console in English; other languages have the same keys (UX-054). `{name}` is filled in. */
export const en = {
  'app.name': 'Loadstone',
  'app.skip': 'Skip to the content',
  'nav.home': 'Home', 'nav.dispatches': 'Dispatches', 'nav.devices': 'Devices', 'nav.programs': 'Programs', 'nav.verification': 'Verification', 'nav.settlement': 'Settlement', 'nav.vendors': 'Vendors', 'nav.audit': 'Audit', 'nav.webhooks': 'Webhooks', 'nav.settings': 'Settings',
  'stop.open': 'Stop all…', 'stop.title': 'Stop all dispatches', 'stop.explain': 'Every running and scheduled dispatch is ended, and none can be started until the stop is lifted. Devices return to their own behaviour.', 'stop.type': 'Type STOP to confirm', 'stop.do': 'Stop everything', 'stop.active': 'A global stop is in force since {at}. No dispatch can be started.', 'stop.lift': 'Lift the stop',
  'login.title': 'Sign in', 'login.token': 'Access token', 'login.do': 'Sign in', 'login.help': 'Use the token that the server printed when it started, or one made with “loadstone token create”.', 'login.out': 'Sign out',
  'gone.banner': 'The server does not answer since {age}. What you see is from then; nothing can be changed until it is back.',
  'age.now': 'just now', 'age.seconds': '{n} s ago', 'age.minutes': '{n} min ago', 'age.hours': '{n} h ago', 'age.label': 'as of {age}',
  'home.title': 'Flexibility now', 'home.enrolled': 'Enrolled', 'home.available': 'Available now', 'home.dispatched': 'Dispatched now', 'home.devices': '{n} devices', 'home.live': 'Live and next', 'home.trouble': 'Needs attention', 'home.noTrouble': 'Nothing needs attention.', 'home.noEvents': 'No dispatch is running or planned.',
  'dispatch.create': 'New dispatch', 'dispatch.list': 'Dispatches', 'dispatch.none': 'No dispatch yet. “New dispatch” makes one, with a preview first.',
  'dispatch.reduce': 'Reduce {power}', 'dispatch.increase': 'Increase {power}', 'dispatch.cancel': 'Cancel dispatch', 'dispatch.cancelSure': 'Cancel this dispatch? Devices are told at once and go back to normal.', 'dispatch.keep': 'Keep it running',
  'dispatch.target': 'Target', 'dispatch.actual': 'Actual', 'dispatch.baseline': 'Baseline', 'dispatch.delivered': 'Delivered', 'dispatch.shortfall': 'Shortfall', 'dispatch.ordered': 'Ordered', 'dispatch.split': 'Split', 'dispatch.deliveries': 'Deliveries by device', 'dispatch.release': 'Release dispatch', 'dispatch.waits': 'This order is above the two-person threshold. Another user has to release it; nothing has been sent.',
  'dispatch.preview': 'Preview', 'dispatch.order': 'Order now', 'dispatch.program': 'Program', 'dispatch.power': 'Power (kW)', 'dispatch.start': 'Start', 'dispatch.end': 'End', 'dispatch.reason': 'Reason', 'dispatch.mode': 'How to split', 'dispatch.zone': 'Times are in {zone}.', 'dispatch.explain': 'An operator ordered {power}. The server split it over {n} devices; each heard it in its own protocol. Their meters report back; the dashed line is what they would have used without the order.',
  'step.ordered': 'Ordered', 'step.sent': 'Sent', 'step.acknowledged': 'Acknowledged', 'step.active': 'Active', 'step.measured': 'Measured', 'step.verified': 'Verified', 'step.settled': 'Settled',
  'device.list': 'Devices', 'device.none': 'No device matches. Clear the filters, or enrol one under Programs.', 'device.search': 'Search', 'device.kind': 'Kind', 'device.protocol': 'Protocol', 'device.any': 'any', 'device.why': 'Why did it not respond?', 'device.identity': 'Identity', 'device.readings': 'Readings', 'device.orders': 'Orders', 'device.rated': 'Rated', 'device.point': 'Service point',
  'program.list': 'Programs', 'program.none': 'No program yet.', 'program.create': 'New program',
  'audit.list': 'Audit', 'audit.verified': 'Chain verified, {n} records', 'audit.broken': 'Chain broken at record {n}', 'audit.none': 'No record matches.',
  'settlement.list': 'Settlement runs', 'settlement.none': 'No settlement run yet.', 'settlement.statements': 'Statements',
  'common.loading': 'Loading…', 'common.failed': 'This could not be loaded: {why}', 'common.retry': 'Try again', 'common.name': 'Name', 'common.state': 'State', 'common.at': 'At', 'common.close': 'Close', 'common.export': 'Export CSV', 'common.more': 'Show more', 'common.of': '{n} of {total}',
} as const

export type Key = keyof typeof en
