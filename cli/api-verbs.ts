import type { ApiNoun } from '#cli/api-verb.js'

const show = (noun: string, path: string) => ({ verb: 'show', does: 'one of them', route: `GET ${path}/:id`, example: noun === 'aggregation' ? 'F1' : 'ID' } as const)

/** What of the operator API is a plain call; verbs that do more have a file of their own. `api-verbs.test.ts` holds the two against the API. */
export const apiNouns: readonly ApiNoun[] = [
  { noun: 'program', about: 'rules under which flexibility is bought', verbs: [
    { verb: 'versions', does: 'its versions, newest first', route: 'GET programs/:id/versions', example: 'peak', columns: ['programVersion', 'at', 'by', 'reason'] },
  ] },
  { noun: 'service-point', about: 'metered connections', verbs: [
    { verb: 'moves', does: 'who moved in and out, and meter changes', route: 'GET service-points/:id/moves', example: 'home-1', columns: ['id', 'what', 'at', 'state', 'reason'] },
    { verb: 'move', does: 'move out, new meter or new owner: ends the enrolments then (CORE-028)', route: 'POST service-points/:id/moves', example: 'home-1 --set what=moveOut --set at=2026-08-01T00:00:00Z --set reason=moved', body: true },
    { verb: 'schedule', does: 'devices behind one connection, planned together under its limits (CORE-073)', route: 'POST service-points/:id/schedule', example: 'home-1 --file tariff.json', body: true },
  ] },
  { noun: 'aggregation', about: 'groups of resources: feeders, portfolios, test groups', verbs: [
    { verb: 'list', does: 'all of them', route: 'GET aggregations', columns: ['id', 'name', 'hierarchy', 'parent', 'cap_kW'] },
    show('aggregation', 'aggregations'),
    { verb: 'create', does: 'create one, with a cap and members', route: 'POST aggregations', example: '--set name=F1 --set hierarchy=grid --set cap_kW=400', body: true },
    { verb: 'change', does: 'change fields of one', route: 'PATCH aggregations/:id', example: 'F1 --set cap_kW=300', body: true },
  ] },
  { noun: 'availability', about: 'what resources can give', verbs: [
    { verb: 'list', does: 'what is believed', route: 'GET availability', example: '--resource battery-1', query: ['resource', 'from', 'to'], columns: ['resource', 'start', 'end', 'down_W', 'up_W', 'source'] },
    { verb: 'declare', does: 'say what resources can give; later words win', route: 'POST availability', example: '--file availability.json', body: true },
  ] },
  { noun: 'opt-out', about: 'refusals of participants for a time', verbs: [
    { verb: 'list', does: 'all of them', route: 'GET opt-outs', query: ['resource'], columns: ['id', 'resource', 'from', 'to', 'reason', 'source'] },
    show('opt-out', 'opt-outs'),
    { verb: 'create', does: 'a participant refuses for a period; holds at once', route: 'POST opt-outs', example: '--set resource=battery-1 --set reason=holiday --set to=2026-12-27T00:00:00Z', body: true },
    { verb: 'end', does: 'back in (CORE-114)', route: 'DELETE opt-outs/:id', example: 'ID' },
  ] },
  { noun: 'dispatch', about: 'orders of power', verbs: [
    { verb: 'plan', does: 'how the order was shared out, and what bound it', route: 'GET dispatches/:id/plan', example: 'ID' },
    { verb: 'progress', does: 'measured against ordered, now', route: 'GET dispatches/:id/progress', example: 'ID' },
    { verb: 'revisions', does: 'what the order was before', route: 'GET dispatches/:id/revisions', example: 'ID', columns: ['revision', 'at', 'reason', 'allocated_kW', 'shortfall_kW'] },
    { verb: 'revise', does: 'change an order: restates it as a whole (CORE-051)', route: 'POST dispatches/:id/revisions', example: 'ID --set power_kW=1500 --yes', body: true, asks: 'This sends new orders to devices.' },
    { verb: 'verify', does: 'compute performance again, for late readings', route: 'POST dispatches/:id/verify', example: 'ID' },
  ] },
  { noun: 'prognosis', about: 'forecasts that participants gave of their own load, and baselines that devices claim', verbs: [
    { verb: 'list', does: 'all of them', route: 'GET prognoses', example: '--program peak', query: ['program', 'servicePoint'], columns: ['id', 'program', 'servicePoint', 'start', 'end', 'lockedAt', 'source'] },
    show('prognosis', 'prognoses'),
    { verb: 'give', does: 'give one, kW by program interval, before its gate closes', route: 'POST prognoses', example: "--set program=peak --set servicePoint=home-1 --set start=2026-07-16T16:00:00-06:00 --set 'kW=[3,3,2.5,2.5]'", body: true },
  ] },
  { noun: 'nomination', about: 'watts promised for a period', verbs: [
    { verb: 'list', does: 'all of them', route: 'GET nominations', query: ['program', 'state'], columns: ['id', 'program', 'power_kW', 'start', 'end', 'price', 'state'] },
    show('nomination', 'nominations'),
    { verb: 'offer', does: 'promise watts; expires by itself', route: 'POST nominations', example: '--set program=peak --set aggregation=F1 --set power_kW=100 --set start=2026-07-16T16:00:00-06:00 --set end=2026-07-16T18:00:00-06:00', body: true },
    { verb: 'move', does: 'accepted, which is a commitment, or withdrawn', route: 'POST nominations/:id/transitions', example: 'ID --set to=accepted', body: true },
  ] },
  { noun: 'flex', about: 'the grid operator\'s loop: request, offer, order (CORE-056)', verbs: [
    { verb: 'requests', does: 'needs', route: 'GET flex-requests', columns: ['id', 'program', 'node', 'periodStart', 'state', 'expiresAt'] },
    { verb: 'offers', does: 'offers', route: 'GET flex-offers', columns: ['id', 'request', 'price', 'state', 'expiresAt'] },
    { verb: 'orders', does: 'orders', route: 'GET flex-orders', columns: ['id', 'offer', 'activationFactor', 'dispatches'] },
    ...(['request', 'offer', 'order'] as const).map((what) => ({ verb: `show-${what}`, does: `one ${what}`, route: `GET flex-${what}s/:id`, example: 'ID' } as const)),
    { verb: 'request', does: 'a need for each interval of the program', route: 'POST flex-requests', example: '--file need.json', body: true },
    { verb: 'offer', does: 'an offer with a price', route: 'POST flex-offers', example: '--file offer.json', body: true },
    { verb: 'revoke', does: 'take an offer back that nobody has ordered yet', route: 'POST flex-offers/:id/revoke', example: 'ID --set reason=sold', body: true },
    { verb: 'order', does: 'order an unexpired offer: it becomes dispatches', route: 'POST flex-orders', example: '--set offer=ID --yes', body: true, asks: 'This sends orders to devices.' },
  ] },
  { noun: 'market-resource', about: 'portfolios that are registered at a market (CORE-029)', verbs: [
    { verb: 'list', does: 'all of them', route: 'GET market-resources', columns: ['id', 'name', 'market', 'aggregation', 'capability_kW', 'state'] },
    show('market-resource', 'market-resources'),
    { verb: 'create', does: 'declare an aggregation (draft)', route: 'POST market-resources', example: '--file resource.json', body: true },
    { verb: 'move', does: 'submitted, accepted, refused, retired', route: 'POST market-resources/:id/transitions', example: 'PEAK_1 --set to=submitted', body: true },
  ] },
  { noun: 'baseline', about: 'what would have been', verbs: [
    { verb: 'compute', does: 'a baseline for any window by any method, with its days and band; stores nothing', route: 'POST baselines', example: '--set program=peak --set start=2026-07-15T16:00:00-06:00 --set duration=PT2H --json', body: true },
    { verb: 'control-group', does: 'assign a control group by seed, test its balance, measure against it (CORE-155)', route: 'POST baselines/control-group', example: '--set program=peak --set start=2026-07-15T16:00:00-06:00 --set duration=PT2H --set seed=summer --set controlShare=0.5', body: true },
    { verb: 'gaming', does: 'suspicious days and windows, with reasons (CORE-168)', route: 'GET gaming', example: '--dispatch ID', query: ['dispatch', 'program', 'from', 'to'] },
    { verb: 'weather', does: 'store the temperature of a station', route: 'POST weather', example: '--file kden.json', body: true },
  ] },
  { noun: 'readings', about: 'interval values of service points', verbs: [
    { verb: 'mappings', does: 'remembered mappings of imports', route: 'GET import-mappings', columns: ['id', 'name', 'columns', 'unit', 'timeZone'] },
    { verb: 'forget-mapping', does: 'forget one', route: 'DELETE import-mappings/:id', example: 'ID' },
  ] },
  { noun: 'enrolment', about: 'contracts of service points with programs', verbs: [
    { verb: 'bulk-result', does: 'every row of a bulk and what became of it', route: 'GET enrolments/bulk/:id', example: 'ID' },
    { verb: 'claims', does: 'claim codes for devices to come', route: 'GET claims', columns: ['id', 'program', 'servicePoint', 'kind', 'rated_kW', 'expiresAt', 'used'] },
    { verb: 'claim', does: 'a claim code; shown this once (CORE-026)', route: 'POST claims', example: '--set program=peak --set servicePoint=home-1 --set kind=battery --set rated_kW=5', body: true },
    { verb: 'redeem', does: 'a device with a known certificate and a claim code enrols itself', route: 'POST claims/redeem', example: '--file claim.json', body: true },
  ] },
  { noun: 'settlement', about: 'settlement runs and statements', verbs: [
    { verb: 'statement', does: 'one statement, every line with its formula', route: 'GET statements/:id', example: 'ID --json' },
    { verb: 'postings', does: 'what was posted, balanced', route: 'GET ledger', columns: ['id', 'run', 'entries'] },
    { verb: 'revenue', does: 'income by component and program, no interval twice (CORE-198)', route: 'GET revenue', query: ['from', 'to'] },
  ] },
  { noun: 'kpi', about: 'figures of programs and service levels', verbs: [
    { verb: 'show', does: 'participation, opt-outs, delivery, latency, cost (CORE-195)', route: 'GET kpis', example: '--program peak', query: ['program', 'from', 'to'] },
    { verb: 'events', does: 'each event with how its deliveries stand: who opted out, refused, stayed silent', route: 'GET kpis/events', example: '--program peak', query: ['program', 'from', 'to'], columns: ['dispatch', 'start', 'state'] },
    { verb: 'service-levels', does: 'each link of the chain against its level', route: 'GET service-levels' },
    { verb: 'alerts', does: 'levels whose budget burns too fast (CORE-197)', route: 'GET service-levels/alerts' },
    { verb: 'overview', does: 'what the first page of the console shows', route: 'GET overview' },
    { verb: 'grid', does: 'totals and counts by node, nobody\'s name (CORE-223)', route: 'GET grid' },
  ] },
  { noun: 'contact', about: 'whom to tell of events', verbs: [
    { verb: 'list', does: 'all of them', route: 'GET contacts', query: ['servicePoint'], columns: ['id', 'servicePoint', 'channel', 'state'] },
    show('contact', 'contacts'),
    { verb: 'create', does: 'register somebody, by e-mail or SMS, with quiet hours', route: 'POST contacts', example: '--set servicePoint=home-1 --set channel=email --set to=a@example.org', body: true },
    { verb: 'change', does: 'change one', route: 'PATCH contacts/:id', example: 'ID --set language=de', body: true },
    { verb: 'remove', does: 'remove one', route: 'DELETE contacts/:id', example: 'ID' },
  ] },
  { noun: 'notice', about: 'what customers were told', verbs: [
    { verb: 'list', does: 'the delivery log', route: 'GET notices', query: ['dispatch', 'servicePoint', 'state'], columns: ['id', 'servicePoint', 'occasion', 'channel', 'state'] },
    { verb: 'resend', does: 'send one again', route: 'POST notices/:id/resend', example: 'ID' },
    { verb: 'templates', does: 'the words', route: 'GET notice-templates', columns: ['id', 'program', 'occasion', 'channel', 'language', 'subject'] },
    { verb: 'write', does: 'write the words of an occasion', route: 'POST notice-templates', example: '--file words.json', body: true },
  ] },
  { noun: 'device', about: 'one device and what was said to it, by any of its names', verbs: [
    { verb: 'list', does: 'all of them', route: 'GET devices', columns: ['id', 'name', 'protocol', 'remoteId', 'state', 'lastSeen'] },
    { verb: 'words', does: 'what it last said and heard (UX-049)', route: 'GET devices/:id/words', example: 'battery-1' },
    { verb: 'deliveries', does: 'its part in orders', route: 'GET devices/:id/deliveries', example: 'battery-1', columns: ['dispatch', 'state', 'reason', 'at', 'allocated_kW'] },
    { verb: 'notes', does: 'what people wrote about it', route: 'GET devices/:id/notes', example: 'battery-1', columns: ['at', 'by', 'text'] },
    { verb: 'note', does: 'write a note', route: 'POST devices/:id/notes', example: 'battery-1 --set text="call the owner first"', body: true },
    { verb: 'capture', does: 'keep every frame of it for some minutes (UX-077)', route: 'POST devices/:id/capture', example: 'battery-1 --set minutes=10', body: true },
    { verb: 'captured', does: 'the frames', route: 'GET devices/:id/capture', example: 'battery-1 --json' },
    { verb: 'end-capture', does: 'keep no more', route: 'DELETE devices/:id/capture', example: 'battery-1' },
    { verb: 'find', does: 'anything by a part of its name or id', route: 'GET find', example: '--q CS001', query: ['q'] },
  ] },
  { noun: 'user', about: 'people', verbs: [
    { verb: 'list', does: 'all of them', route: 'GET users', columns: ['id', 'name', 'role', 'state'] },
    { verb: 'create', does: 'add a person; password and TOTP secret are shown this once', route: 'POST users', example: '--set name=olga --set role=operator', body: true },
    { verb: 'change', does: 'enable, disable, change the role, or give new secrets', route: 'PATCH users/:id', example: 'ID --set state=disabled', body: true },
    { verb: 'me', does: 'who this token is', route: 'GET me' },
  ] },
  { noun: 'audit', about: 'the hash-chained trail', verbs: [
    { verb: 'show', does: 'one record and what changed', route: 'GET audit/:seq', example: '42' },
  ] },
  { noun: 'webhook', about: 'receivers of events', verbs: [
    { verb: 'show', does: 'one of them', route: 'GET webhooks/:id', example: 'ID' },
  ] },
]
