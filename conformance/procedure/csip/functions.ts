import type { Matcher, Procedure, Step } from '#conformance/procedure.js'
import { all, ask, clientError, discover, doc, memberOf, memberWith, operate, proc, refused } from '#conformance/procedure/csip/steps.js'

/** Function sets beside DER: what an operator writes, a device finds by its links, in schema order. */
const needs = ['operator-csip', 'function-sets']
const head = (word: string, { start = -5, duration = 600 } = {}): string => `<mRID>\${mrid:${word}}</mRID><description>${word}</description><creationTime>\${now}</creationTime><EventStatus><currentStatus>0</currentStatus><dateTime>\${now}</dateTime><potentiallySuperseded>false</potentiallySuperseded></EventStatus><interval><duration>${duration}</duration><start>\${now${start < 0 ? start : `+${start}`}}</start></interval>`
const makes = (word: string, path: string, root: string, inner: string, expect: object = { status: 201, 'headers.location': { matches: '^/' } }): Step => operate('POST', path, expect as never, { text: doc(root, inner), save: { [word]: 'headers.location' } })
const gone = (...words: readonly string[]): { after: readonly Step[] } => ({ after: words.map((w) => operate('DELETE', `\${${w}}`, {})) })
const set = (id: string, title: string, requirements: string, clause: string, steps: readonly Step[], more: Partial<Procedure> = {}): Procedure => proc(all, `csip.${id}`, title, requirements, clause, [discover(), ...steps], { needs, tags: ['function-set'], ...more })
const eventOrder = ['mRID', 'description', 'version', 'creationTime', 'EventStatus', 'interval', 'randomizeDuration', 'randomizeStart']
const answered = (root: string, code: number, expect: object): Step => ask('device-1', 'POST', '${replyTo}', expect as never, { text: doc(root, `<createdDateTime>\${now}</createdDateTime><endDeviceLFDI>\${lfdi1}</endDeviceLFDI><status>${code}</status><subject>\${subject}</subject>`) })
const edc = '<deviceCategory>01</deviceCategory><drProgramMandatory>true</drProgramMandatory><loadShiftForward>false</loadShiftForward>'
const ours = '${it.links.FunctionSetAssignmentsListLink}?l=50'
const request = (status: number, more = '<durationRequested>3600</durationRequested>'): string => doc('FlowReservationRequest', `<mRID>\${mrid:wish}</mRID><creationTime>\${now}</creationTime>${more}<energyRequested><multiplier>3</multiplier><value>20</value></energyRequested><intervalRequested><duration>7200</duration><start>\${from}</start></intervalRequested><powerRequested><multiplier>1</multiplier><value>360</value></powerRequested><RequestStatus><dateTime>\${now}</dateTime><requestStatus>${status}</requestStatus></RequestStatus>`)
/** What the server makes of that wish: answers to earlier ones stay in the list. */
const granted = (status: string, expect: Readonly<Record<string, Matcher>> = {}): Step =>
  memberWith('device-1', '${it.links.FlowReservationResponseListLink}', 'FlowReservationResponse', { 'subject[0]': '${mrid:wish}' }, { 'it.EventStatus[0].currentStatus[0]': status, ...expect })
const from: Step = { say: 'an hour from now', do: 'value', with: { from: '${now+3600}' }, save: { from: 'from' } }

export const functions: readonly Procedure[] = [
  set('drlc', 'demand response: a program below the FSA, a control in order, its response; a control of nothing is refused', 'SEP-196 SEP-197 SEP-180', 'IEEE 2030.5-2018 §10.5 DRLC', [
    makes('program', '${it.fsa[0].href}/dr', 'DemandResponseProgram', '<mRID>${mrid:program}</mRID><description>cool</description><primacy>70</primacy>'), ask('device-1', 'GET', ours, { text: { matches: 'DemandResponseProgramListLink' } }),
    ask('device-1', 'GET', '${program}', { status: 200, root: 'DemandResponseProgram', order: { inOrderOf: ['mRID', 'description', 'version', 'ActiveEndDeviceControlListLink', 'availabilityUpdatePercentChangeThreshold', 'availabilityUpdatePowerChangeThreshold', 'EndDeviceControlListLink', 'primacy'] } }, { save: { list: 'xml.EndDeviceControlListLink[0].@href', active: 'xml.ActiveEndDeviceControlListLink[0].@href' } }),
    operate('POST', '${list}', clientError, { text: doc('EndDeviceControl', `${head('none')}${edc}`) }), makes('control', '${list}', 'EndDeviceControl', `${head('cool')}${edc}<Offset><coolingOffset>20</coolingOffset></Offset>`),
    ask('device-1', 'GET', '${control}', { status: 200, 'xml.EventStatus[0].currentStatus[0]': '1', 'xml.Offset[0].coolingOffset[0]': '20', order: { inOrderOf: [...eventOrder, 'ApplianceLoadReduction', 'deviceCategory', 'drProgramMandatory', 'DutyCycle', 'loadShiftForward', 'Offset', 'overrideDuration', 'SetPoint', 'TargetReduction'] } }, { save: { replyTo: 'xml.@replyTo', subject: 'xml.mRID[0]' } }),
    ask('device-1', 'GET', '${active}?l=50', { 'xml.EndDeviceControl[*].mRID[0]': { contains: '${mrid:cool}' } }), answered('DrResponse', 1, { status: 201 }), answered('DrResponse', 99, refused(400)),
  ], gone('control', 'program')),
  set('drlc.shed', 'a device says what load it can shed, and takes it back', 'SEP-198', 'IEEE 2030.5-2018 §10.5 LoadShedAvailability', [
    ask('device-1', 'POST', '${it.links.LoadShedAvailabilityListLink}', { status: 201, 'headers.location': { matches: '^/' } }, { text: doc('LoadShedAvailability', '<availabilityDuration>1800</availabilityDuration><sheddablePower><multiplier>1</multiplier><value>250</value></sheddablePower>'), save: { shed: 'headers.location' } }),
    ask('device-1', 'GET', '${shed}', { status: 200, 'xml.sheddablePower[0].value[0]': '250' }), ask('device-2', 'GET', '${shed}', { status: { oneOf: [403, 404] } }),
  ]),
  set('pricing', 'prices: from the tariff by links to the price of an interval', 'SEP-200', 'IEEE 2030.5-2018 §10.6 pricing', [
    makes('tariff', '/tp', 'TariffProfile', '<mRID>${mrid:tariff}</mRID><currency>840</currency><pricePowerOfTenMultiplier>-5</pricePowerOfTenMultiplier><primacy>1</primacy><rateCode>TOU</rateCode><serviceCategoryKind>0</serviceCategoryKind>'), ask('device-1', 'GET', '${dcap}', { 'xml.TariffProfileListLink[0].@href': { matches: '^/' } }),
    ask('device-1', 'GET', '${tariff}', { status: 200, 'xml.currency[0]': '840', order: { inOrderOf: ['mRID', 'description', 'version', 'currency', 'pricePowerOfTenMultiplier', 'primacy', 'rateCode', 'RateComponentListLink', 'serviceCategoryKind', 'CombinedTimeTariffIntervalListLink'] } }, { save: { rates: 'xml.RateComponentListLink[0].@href' } }),
    makes('rate', '${rates}', 'RateComponent', '<mRID>${mrid:rate}</mRID><ReadingTypeLink href="/rt"/><roleFlags>00</roleFlags><TimeTariffIntervalListLink href="/x"/>'), ask('device-1', 'GET', '${rate}', { status: 200 }, { save: { intervals: 'xml.TimeTariffIntervalListLink[0].@href', current: 'xml.ActiveTimeTariffIntervalListLink[0].@href' } }),
    makes('interval', '${intervals}', 'TimeTariffInterval', `${head('tti')}<touTier>1</touTier>`), ask('device-1', 'GET', '${interval}', { status: 200, order: { inOrderOf: [...eventOrder, 'ConsumptionTariffIntervalListLink', 'touTier', 'ConsumptionTariffIntervalListSummary', 'RateComponentLink'] } }, { save: { blocks: 'xml.ConsumptionTariffIntervalListLink[0].@href' } }),
    makes('block', '${blocks}', 'ConsumptionTariffInterval', '<consumptionBlock>0</consumptionBlock><price>-1250</price><startValue>0</startValue>'), ask('device-1', 'GET', '${blocks}?l=5', { 'xml.ConsumptionTariffInterval[0].price[0]': '-1250' }), ask('device-1', 'GET', '${current}?l=5', { 'xml.TimeTariffInterval[*].mRID[0]': { contains: '${mrid:tti}' } }),
    ask('device-1', 'POST', '${intervals}', refused([403, 405]), { text: doc('TimeTariffInterval', '') }),
  ], gone('block', 'interval', 'rate', 'tariff')),
  set('messaging', 'messages: several at once are active, newest start first, and are acknowledged', 'SEP-200', 'IEEE 2030.5-2018 §10.7 messaging', [
    makes('program', '/msg', 'MessagingProgram', '<mRID>${mrid:program}</mRID><locale>en</locale><primacy>80</primacy>'), ask('device-1', 'GET', '${program}', { status: 200, 'xml.locale[0]': 'en' }, { save: { texts: 'xml.TextMessageListLink[0].@href', active: 'xml.ActiveTextMessageListLink[0].@href' } }),
    makes('one', '${texts}', 'TextMessage', `${head('one', { start: -60 })}<priority>1</priority><textMessage>Storm &amp; wind</textMessage>`), makes('two', '${texts}', 'TextMessage', `${head('two')}<priority>0</priority><textMessage>All is well</textMessage>`),
    ask('device-1', 'GET', '${active}?l=50', { status: 200, 'xml.TextMessage[*].mRID[0]': { equals: ['${mrid:two}', '${mrid:one}'] }, 'xml.TextMessage[*].EventStatus[0].currentStatus[0]': { each: '1' } }, { save: { replyTo: 'xml.TextMessage[0].@replyTo', subject: 'xml.TextMessage[0].mRID[0]' } }),
    answered('TextResponse', 11, { status: 201 }), operate('POST', '${texts}', clientError, { text: doc('TextMessage', `${head('bad')}<priority>9</priority><textMessage>x</textMessage>`) }),
  ], gone('one', 'two', 'program')),
  set('flow', 'a car asks for energy in a window, is granted it at once, polls quickly, and gives it back', 'SEP-200', 'IEEE 2030.5-2018 §10.9 flow reservation', [
    from, ask('device-1', 'POST', '${it.links.FlowReservationRequestListLink}', { status: 201, 'headers.location': { matches: '^/' } }, { text: request(0), save: { wish: 'headers.location' }, keep: true }),
    granted('0', { 'list.@pollRate': { matches: '^[1-9]\\d?$' }, 'it.powerAvailable[0].value[0]': '360' }), ask('device-2', 'GET', '${it.links.FlowReservationResponseListLink}', { status: { oneOf: [403, 404] } }),
    ask('device-1', 'POST', '${it.links.FlowReservationRequestListLink}', refused(400), { text: request(0, '<durationRequested>9000</durationRequested>') }), ask('device-1', 'PUT', '${wish}', { status: 204 }, { text: request(1) }), granted('2'),
  ]),
  set('usage-point', 'what was mirrored is read again as UsagePoint, readings and all, by its owner alone', 'SEP-173', 'IEEE 2030.5-2018 §10.10 metering', [
    ask('device-1', 'POST', '${it.dcap.MirrorUsagePointListLink}', { status: 201 }, { text: doc('MirrorUsagePoint', '<mRID>${mrid:m}</mRID><description>site</description><roleFlags>0003</roleFlags><serviceCategoryKind>0</serviceCategoryKind><status>1</status><deviceLFDI>${lfdi1}</deviceLFDI><MirrorMeterReading><mRID>${mrid:s}</mRID><description>power</description><Reading><value>77</value></Reading><ReadingType><kind>37</kind><powerOfTenMultiplier>0</powerOfTenMultiplier><uom>38</uom></ReadingType></MirrorMeterReading>') }),
    ask('device-1', 'GET', '${dcap}', { status: 200 }, { save: { points: 'xml.UsagePointListLink[0].@href' } }), ask('device-1', 'GET', '${points}?l=50', { status: 200, 'xml.UsagePoint[*].mRID[0]': { contains: '${mrid:m}' } }), memberOf('device-1', '${points}', 'UsagePoint', '${mrid:m}', { save: { meters: 'it.MeterReadingListLink[0].@href' } }),
    ask('device-1', 'GET', '${meters}?l=5', { status: 200 }, { save: { sets: 'xml.MeterReading[0].ReadingSetListLink[0].@href' } }), ask('device-1', 'GET', '${sets}?l=5', { status: 200 }, { save: { readings: 'xml.ReadingSet[0].ReadingListLink[0].@href' } }),
    ask('device-1', 'GET', '${readings}?l=5', { 'status': 200, 'xml.Reading[*].value[0]': { contains: '77' } }), ask('device-2', 'GET', '${readings}?l=5', { status: { oneOf: [403, 404] } }), ask('device-2', 'GET', '${points}?l=50', { text: { lacks: '${mrid:m}' } }), ask('device-1', 'POST', '${points}', refused([403, 405]), { text: doc('UsagePoint', '') }),
  ], { needs: ['function-sets'] }),
  set('disabled', 'a device that is switched off sees its record and nothing of its own below it', 'SEP-107 SEP-193', 'IEEE 2030.5-2018 §10.3 EndDevice', [
    discover('device-2', 'two'), { say: 'arithmetic', do: 'sfdi', with: { lfdi: '${lfdi2}' }, save: { sfdi: 'sfdi' } },
    operate('PUT', '${two.edev}', { status: { oneOf: [200, 204] } }, { text: doc('EndDevice', '<lFDI>${lfdi2}</lFDI><sFDI>${sfdi}</sFDI><changedTime>${now}</changedTime><enabled>false</enabled>') }),
    ask('device-2', 'GET', '${two.edev}', { status: 200, 'xml.enabled[0]': 'false' }, { within_ms: 1500 }), ask('device-2', 'GET', '${two.links.FunctionSetAssignmentsListLink}', refused(403)), ask('device-2', 'GET', '${two.links.DERListLink}', refused(403)), ask('device-2', 'PUT', '${two.der.DERStatusLink}', refused(403), { text: doc('DERStatus', '<readingTime>${now}</readingTime>') }),
  ], { needs: ['operator-csip'], after: [operate('PUT', '${two.edev}', {}, { text: doc('EndDevice', '<lFDI>${lfdi2}</lFDI><sFDI>${sfdi}</sFDI><changedTime>${now}</changedTime><enabled>true</enabled>') })] }),
  set('poll-rate', 'a poll rate that the operator sets is told at the next GET', 'SEP-243 SEP-090', 'SA TS 5573 poll rates', [
    ask('device-1', 'GET', '${it.dcap.EndDeviceListLink}', { status: 200 }, { save: { before: 'xml.@pollRate' } }), operate('PUT', '${it.dcap.EndDeviceListLink}', { status: { oneOf: [200, 204] } }, { text: doc('EndDeviceList', '', 'all="0" results="0" pollRate="77"') }), ask('device-1', 'GET', '${it.dcap.EndDeviceListLink}', { 'xml.@pollRate': '77' }),
  ], { needs: ['operator-csip', 'poll-rate-by-put'], after: [operate('PUT', '${it.dcap.EndDeviceListLink}', {}, { text: doc('EndDeviceList', '', 'all="0" results="0" pollRate="${before}"') })] }),
  set('alarms', 'every DER alarm and its return is taken, newest first', 'SEP-188 SEP-187', 'IEEE 2030.5-2018 §10.8 LogEvent, DER alarms', [
    ...[0, 1, 14, 15, 21].map((code, i) => ask('device-1', 'POST', '${it.links.LogEventListLink}', { status: 201 }, { text: doc('LogEvent', `<createdDateTime>\${now+${i}}</createdDateTime><functionSet>11</functionSet><logEventCode>${code}</logEventCode><logEventID>${i}</logEventID><logEventPEN>40732</logEventPEN><profileID>2</profileID>`) })),
    ask('device-1', 'GET', '${it.links.LogEventListLink}?l=50', { status: 200, 'xml.LogEvent[*].createdDateTime[0]': { sorted: 'desc' } }),
  ], { needs: [] }),
]
