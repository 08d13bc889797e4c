import type { Profile } from '#csip-server/config.js'
import { serve, type Served } from '#csip-server/served.js'
import { connectionPoint } from '#csip-server/resource/connection-point.js'
import { derAvailability } from '#csip-server/resource/der-availability.js'
import { derCapability } from '#csip-server/resource/der-capability.js'
import { activeDERControlList, derControl, derControlList } from '#csip-server/resource/der-control.js'
import { derCurve } from '#csip-server/resource/der-curve.js'
import { assignedPrograms, defaultDERControl, derProgram, derProgramList } from '#csip-server/resource/der-program.js'
import { associatedUsagePoint, currentDERProgram, der, derList } from '#csip-server/resource/der.js'
import { activeEndDeviceControlList, demandResponsePrograms, endDeviceControl, endDeviceControlList, loadShedAvailability } from '#csip-server/resource/demand-response.js'
import { deviceCapability } from '#csip-server/resource/device-capability.js'
import { endDevice, endDeviceList } from '#csip-server/resource/end-device.js'
import { file, fileList } from '#csip-server/resource/file.js'
import { flowReservationRequest, flowReservationResponse, flowReservationResponseList } from '#csip-server/resource/flow-reservation.js'
import { associatedPrograms, functionSetAssignments, functionSetAssignmentsList } from '#csip-server/resource/function-set-assignments.js'
import { llInterface } from '#csip-server/resource/ip-interface.js'
import { logEvent } from '#csip-server/resource/log-event.js'
import { activeTextMessageList, messagingPrograms, textMessage, textMessageList } from '#csip-server/resource/messaging.js'
import { meterReading, meterReadingList, meteringReads, reading, readingList, readingSet, readingSetList, readingType, usagePoint, usagePointList } from '#csip-server/resource/metering.js'
import { mirrorMeterReadingList, mirrorUsagePoint, mirrorUsagePointList } from '#csip-server/resource/mirror-usage-point.js'
import { priceResponseCfg } from '#csip-server/resource/price-response-cfg.js'
import {
  activeTimeTariffIntervalList, combinedIntervalList, rateComponent, rateReadingType, summarizedActiveList, summarizedInterval, summarizedIntervalList, tariffProfiles, timeTariffInterval, timeTariffIntervalList,
} from '#csip-server/resource/pricing.js'
import { registration } from '#csip-server/resource/registration.js'
import { response, responseList, responseSet, responseSetList } from '#csip-server/resource/response.js'
import { selfDevice, selfDeviceInformation, selfLogEvents } from '#csip-server/resource/self-device.js'
import { subscription, subscriptionList } from '#csip-server/resource/subscription.js'
import { time } from '#csip-server/resource/time.js'
import { versions } from '#csip-server/resource/version-list.js'
import { Configuration } from '#csip-server/wire/configuration.js'
import { ConnectionPoint } from '#csip-server/wire/connection-point.js'
import {
  ActiveEndDeviceControlList, AssignedDemandResponseProgramList, DemandResponseProgram, DemandResponseProgramList, EndDeviceControl, EndDeviceControlList, LoadShedAvailability, LoadShedAvailabilityList,
} from '#csip-server/wire/demand-response.js'
import { DERAvailability } from '#csip-server/wire/der-availability.js'
import { DERCapability } from '#csip-server/wire/der-capability.js'
import { ActiveDERControlList, DefaultDERControl, DERControl, DERControlList } from '#csip-server/wire/der-control.js'
import { DERCurve, DERCurveList } from '#csip-server/wire/der-curve.js'
import { AssignedDERProgramList, AssociatedDERProgramList, CurrentDERProgram, DERProgram, DERProgramList } from '#csip-server/wire/der-program.js'
import { DERSettings } from '#csip-server/wire/der-settings.js'
import { DERStatus } from '#csip-server/wire/der-status.js'
import { DER, DERList } from '#csip-server/wire/der.js'
import { DeviceCapability } from '#csip-server/wire/device-capability.js'
import { DeviceInformation, SelfDeviceInformation } from '#csip-server/wire/device-information.js'
import { DeviceStatus } from '#csip-server/wire/device-status.js'
import { EndDevice, EndDeviceList, SelfDevice } from '#csip-server/wire/end-device.js'
import { File, FileList, FileStatus } from '#csip-server/wire/file.js'
import { FlowReservationRequest, FlowReservationRequestList, FlowReservationResponse, FlowReservationResponseList } from '#csip-server/wire/flow-reservation.js'
import { FunctionSetAssignments, FunctionSetAssignmentsList } from '#csip-server/wire/function-set-assignments.js'
import {
  IPAddr, IPAddrList, IPInterface, IPInterfaceList, LLInterface, LLInterfaceList, Neighbor, NeighborList, RPLInstance, RPLInstanceList, RPLSourceRoutes, RPLSourceRoutesList,
} from '#csip-server/wire/ip-interface.js'
import { LogEvent, LogEventList, SelfLogEvent, SelfLogEventList } from '#csip-server/wire/log-event.js'
import { ActiveTextMessageList, AssignedMessagingProgramList, MessagingProgram, MessagingProgramList, TextMessage, TextMessageList } from '#csip-server/wire/messaging.js'
import { MirrorMeterReading, MirrorMeterReadingList, MirrorUsagePoint, MirrorUsagePointList } from '#csip-server/wire/mirror-usage-point.js'
import {
  ActiveTimeTariffIntervalList13, AssignedTariffProfileList13, CombinedTimeTariffIntervalList, RateComponentList13, TariffProfile13, TariffProfileList13, TimeTariffInterval13, TimeTariffIntervalList13,
} from '#csip-server/wire/pricing-aus.js'
import { PowerStatus } from '#csip-server/wire/power-status.js'
import { PriceResponseCfg, PriceResponseCfgList } from '#csip-server/wire/price-response-cfg.js'
import {
  ActiveTimeTariffIntervalList, AssignedTariffProfileList, ConsumptionTariffInterval, ConsumptionTariffIntervalList, RateComponent, RateComponentList, TariffProfile, TariffProfileList,
  TimeTariffInterval, TimeTariffIntervalList,
} from '#csip-server/wire/pricing.js'
import { AssociatedUsagePoint, MeterReading, MeterReadingList, RateReadingType, Reading, ReadingList, ReadingSet, ReadingSetList, ReadingType, UsagePoint, UsagePointList } from '#csip-server/wire/reading.js'
import { Registration } from '#csip-server/wire/registration.js'
import { Response, ResponseList, responses, ResponseSet, ResponseSetList } from '#csip-server/wire/response.js'
import { Subscription, SubscriptionList } from '#csip-server/wire/subscription.js'
import { SupportedLocale, SupportedLocaleList } from '#csip-server/wire/supported-locale.js'
import { Time } from '#csip-server/wire/time.js'
import { VersionList } from '#csip-server/wire/version-list.js'

/** Parts of a tariff that every edition has alike. */
const rates: readonly Served[] = [
  serve(RateComponent, { behaviour: rateComponent, operator: ['PUT', 'DELETE'], sort: ['-mRID'], reads: ['csip/TimeTariffInterval'] }),
  serve(RateReadingType, { behaviour: rateReadingType, operator: ['PUT'] }),
  serve(ConsumptionTariffIntervalList, { operator: ['POST'] }),
  serve(ConsumptionTariffInterval, { operator: ['PUT', 'DELETE'], sort: ['startValue'] }),
]

/** Prices of the base standard. */
const pricing: readonly Served[] = [
  serve(TariffProfileList, { behaviour: tariffProfiles.visible, operator: ['POST'], pollRate: 'other', subscribable: true }),
  serve(AssignedTariffProfileList, { behaviour: tariffProfiles.assigned, operator: ['POST'], as: 'TariffProfileList', pollRate: 'other', subscribable: true }),
  serve(TariffProfile, { operator: ['PUT', 'DELETE'], behaviour: tariffProfiles.item, sort: ['-mRID'], reads: ['csip/RateComponent'] }),
  serve(RateComponentList, { operator: ['POST'] }),
  ...rates,
  serve(TimeTariffIntervalList, { behaviour: timeTariffIntervalList, operator: ['POST'], subscribable: true }),
  serve(ActiveTimeTariffIntervalList, { behaviour: activeTimeTariffIntervalList, as: 'ActiveTimeTariffIntervalList', subscribable: true }),
  serve(TimeTariffInterval, { behaviour: timeTariffInterval, operator: ['PUT', 'DELETE'], sort: ['interval.start', '-creationTime', '-mRID'], reads: ['csip/ConsumptionTariffInterval'] }),
]

/** The same in CSIP-AUS 1.3, which adds to them (SEP-200, SEP-241). */
const priced = ['csip/RateComponent', 'csip/TimeTariffInterval', 'csip/ConsumptionTariffInterval']
const pricing13: readonly Served[] = [
  serve(TariffProfileList13, { behaviour: tariffProfiles.visible, operator: ['POST'], pollRate: 'other', subscribable: true }),
  serve(AssignedTariffProfileList13, { behaviour: tariffProfiles.assigned, operator: ['POST'], as: 'TariffProfileList', pollRate: 'other', subscribable: true }),
  serve(TariffProfile13, { operator: ['PUT', 'DELETE'], behaviour: tariffProfiles.item, sort: ['-mRID'], reads: priced }),
  serve(RateComponentList13, { operator: ['POST'], subscribable: true }),
  ...rates,
  serve(CombinedTimeTariffIntervalList, { behaviour: combinedIntervalList, as: 'CombinedTimeTariffIntervalList', pollRate: 'other', subscribable: true, reads: priced }),
  serve(TimeTariffIntervalList13, { behaviour: summarizedIntervalList, operator: ['POST'], pollRate: 'other', subscribable: true, reads: priced }),
  serve(ActiveTimeTariffIntervalList13, { behaviour: summarizedActiveList, as: 'ActiveTimeTariffIntervalList', pollRate: 'other', subscribable: true, reads: priced }),
  serve(TimeTariffInterval13, { behaviour: summarizedInterval, operator: ['PUT', 'DELETE'], sort: ['interval.start', '-creationTime', '-mRID'], reads: priced }),
]

/** Network status of a device: what its interfaces say of themselves. */
const network: readonly Served[] = [
  serve(IPInterfaceList, { pollRate: 'other' }),
  serve(IPInterface, { sort: ['href'] }),
  serve(IPAddrList),
  serve(IPAddr, { sort: ['href'] }),
  serve(RPLInstanceList),
  serve(RPLInstance, { sort: ['href'] }),
  serve(RPLSourceRoutesList),
  serve(RPLSourceRoutes, { sort: ['href'] }),
  serve(LLInterfaceList),
  serve(LLInterface, { behaviour: llInterface, sort: ['href'], reads: ['csip/Neighbor'] }),
  serve(NeighborList),
  serve(Neighbor, { sort: ['href'] }),
]

/** What this server speaks. Sort keys are those of facts/list-order.csv. */
export const registry: readonly Served[] = [
  serve(DeviceCapability, { behaviour: deviceCapability, pollRate: 'dcap', reads: ['csip/DERProgram', 'csip/MirrorUsagePoint'] }),
  serve(VersionList, { behaviour: versions, only: 'csip-aus-1.3', atRoot: true }),
  serve(Time, { behaviour: time, pollRate: 'tm' }),
  serve(SelfDevice, { behaviour: selfDevice, pollRate: 'other' }),
  serve(SelfDeviceInformation, { behaviour: selfDeviceInformation, as: 'DeviceInformation' }),
  serve(SelfLogEventList, { behaviour: selfLogEvents, as: 'LogEventList', pollRate: 'other' }),
  serve(SelfLogEvent, { behaviour: logEvent, as: 'SelfLogEvent', sort: ['-createdDateTime', '-logEventID'] }),

  serve(EndDeviceList, { behaviour: endDeviceList, pollRate: 'edev', subscribable: true }),
  serve(EndDevice, { behaviour: endDevice, subscribable: true, takesBelow: true, quietCounts: ['IPInterfaceListLink', 'SubscriptionListLink', 'LogEventListLink', 'LoadShedAvailabilityListLink', 'FlowReservationRequestListLink', 'FlowReservationResponseListLink'], sort: ['-changedTime', 'sFDI', 'href'] }),
  serve(Registration, { behaviour: registration, operator: ['PUT', 'DELETE'] }),
  serve(DeviceInformation),
  serve(SupportedLocaleList),
  serve(SupportedLocale, { sort: ['href'] }),
  serve(DeviceStatus),
  serve(PowerStatus),
  serve(Configuration),
  serve(PriceResponseCfgList),
  serve(PriceResponseCfg, { behaviour: priceResponseCfg, sort: ['href'], withoutLinks: ['RateComponentLink'] }),
  ...network,
  serve(SubscriptionList, { behaviour: subscriptionList, pollRate: 'other' }),
  serve(Subscription, { behaviour: subscription, sort: ['href'] }),
  serve(LogEventList, { pollRate: 'other' }),
  serve(LogEvent, { behaviour: logEvent, sort: ['-createdDateTime', '-logEventID'] }),

  serve(FunctionSetAssignmentsList, { behaviour: functionSetAssignmentsList, operator: ['POST'], pollRate: 'fsa', subscribable: true }),
  serve(FunctionSetAssignments, { behaviour: functionSetAssignments, operator: ['DELETE'], subscribable: true, sort: ['-mRID'], withoutLinks: ['ResponseSetListLink', 'UsagePointListLink'] }),
  serve(AssignedDERProgramList, { behaviour: assignedPrograms, operator: ['POST'], pollRate: 'derp', subscribable: true, as: 'DERProgramList' }),

  serve(DERProgramList, { behaviour: derProgramList, operator: ['POST'], pollRate: 'derp', subscribable: true }),
  serve(DERProgram, { behaviour: derProgram, operator: ['PUT', 'DELETE'], subscribable: true, sort: ['primacy', '-mRID'], reads: ['csip/DERControl', 'csip/DERCurve'] }),
  serve(DefaultDERControl, { behaviour: defaultDERControl, operator: ['PUT'], subscribable: true }),
  serve(DERControlList, { behaviour: derControlList, operator: ['POST'], subscribable: true }),
  serve(ActiveDERControlList, { behaviour: activeDERControlList, as: 'ActiveDERControlList', subscribable: true }),
  serve(DERControl, { behaviour: derControl, operator: ['PUT', 'DELETE'], sort: ['interval.start', '-creationTime', '-mRID'] }),
  serve(DERCurveList, { operator: ['POST'] }),
  serve(DERCurve, { behaviour: derCurve, operator: ['PUT', 'DELETE'], sort: ['-creationTime', '-mRID'] }),

  serve(DERList, { behaviour: derList, pollRate: 'der', reads: ['csip/DERProgram', 'csip/MirrorUsagePoint'] }),
  serve(DER, { behaviour: der, sort: ['href'], reads: ['csip/DERProgram', 'csip/MirrorUsagePoint'] }),
  serve(CurrentDERProgram, { behaviour: currentDERProgram, as: 'CurrentDERProgram', reads: ['csip/DERProgram', 'csip/DERControl', 'csip/DERCurve', 'csip/DefaultDERControl'] }),
  serve(AssociatedUsagePoint, { behaviour: associatedUsagePoint, as: 'AssociatedUsagePoint', reads: ['csip/MirrorUsagePoint', 'csip/MirrorMeterReading'] }),
  serve(AssociatedDERProgramList, { behaviour: associatedPrograms, as: 'AssociatedDERProgramList', pollRate: 'derp' }),
  serve(DERCapability, { quietFirstPut: true, behaviour: derCapability }),
  serve(DERSettings, { quietFirstPut: true, subscribable: true }),
  serve(DERStatus, { quietFirstPut: true, subscribable: true }),
  serve(DERAvailability, { quietFirstPut: true, subscribable: true, behaviour: derAvailability }),

  serve(DemandResponseProgramList, { behaviour: demandResponsePrograms.visible, operator: ['POST'], pollRate: 'derp', subscribable: true }),
  serve(AssignedDemandResponseProgramList, { behaviour: demandResponsePrograms.assigned, operator: ['POST'], as: 'DemandResponseProgramList', pollRate: 'derp', subscribable: true }),
  serve(DemandResponseProgram, { operator: ['PUT', 'DELETE'], behaviour: demandResponsePrograms.item, sort: ['primacy', '-mRID'], reads: ['csip/EndDeviceControl'] }),
  serve(EndDeviceControlList, { behaviour: endDeviceControlList, operator: ['POST'], subscribable: true }),
  serve(ActiveEndDeviceControlList, { behaviour: activeEndDeviceControlList, as: 'ActiveEndDeviceControlList', subscribable: true }),
  serve(EndDeviceControl, { behaviour: endDeviceControl, operator: ['PUT', 'DELETE'], sort: ['interval.start', '-creationTime', '-mRID'] }),
  serve(LoadShedAvailabilityList, { pollRate: 'other' }),
  serve(LoadShedAvailability, { behaviour: loadShedAvailability, sort: ['href'], withoutLinks: ['DemandResponseProgramLink'] }),

  serve(MessagingProgramList, { behaviour: messagingPrograms.visible, operator: ['POST'], pollRate: 'derp', subscribable: true }),
  serve(AssignedMessagingProgramList, { behaviour: messagingPrograms.assigned, operator: ['POST'], as: 'MessagingProgramList', pollRate: 'derp', subscribable: true }),
  serve(MessagingProgram, { operator: ['PUT', 'DELETE'], behaviour: messagingPrograms.item, subscribable: true, sort: ['-mRID'], reads: ['csip/TextMessage'] }),
  serve(TextMessageList, { behaviour: textMessageList, operator: ['POST'], subscribable: true }),
  serve(ActiveTextMessageList, { behaviour: activeTextMessageList, as: 'ActiveTextMessageList', subscribable: true }),
  serve(TextMessage, { behaviour: textMessage, operator: ['PUT', 'DELETE'], sort: ['-interval.start', '-creationTime', '-mRID'] }),

  ...pricing,

  serve(FlowReservationRequestList, { pollRate: 'other' }),
  serve(FlowReservationRequest, { behaviour: flowReservationRequest, sort: ['intervalRequested.start', '-creationTime', '-mRID'] }),
  serve(FlowReservationResponseList, { behaviour: flowReservationResponseList, operator: ['POST'], pollRate: 'flow', subscribable: true }),
  serve(FlowReservationResponse, { behaviour: flowReservationResponse, operator: ['PUT', 'DELETE'], sort: ['interval.start', '-creationTime', '-mRID'] }),

  serve(FileList, { behaviour: fileList, operator: ['POST'], pollRate: 'other' }),
  serve(File, { behaviour: file, operator: ['PUT', 'DELETE'], sort: ['href'] }),
  serve(FileStatus, { pollRate: 'other', withoutLinks: ['FileLink'] }),

  serve(ConnectionPoint, { behaviour: connectionPoint, aus: true, locationAlways: true }),

  serve(MirrorUsagePointList, { behaviour: mirrorUsagePointList, pollRate: 'mup', reads: ['csip/MirrorMeterReading'] }),
  serve(MirrorUsagePoint, { behaviour: mirrorUsagePoint, sort: ['-mRID'], changedInSort1: true, accepts: [MirrorMeterReading, MirrorMeterReadingList], reads: ['csip/MirrorMeterReading'] }),
  serve(MirrorMeterReadingList, { behaviour: mirrorMeterReadingList, accepts: [MirrorMeterReadingList] }),

  serve(UsagePointList, { behaviour: usagePointList, pollRate: 'mup', reads: ['csip/MirrorUsagePoint', 'csip/MirrorMeterReading'] }),
  serve(UsagePoint, { behaviour: usagePoint, sort: ['-mRID'], reads: ['csip/MirrorUsagePoint', 'csip/MirrorMeterReading'] }),
  serve(MeterReadingList, { behaviour: meterReadingList, reads: meteringReads }),
  serve(MeterReading, { behaviour: meterReading, sort: ['-mRID'], reads: meteringReads, withoutLinks: ['RateComponentListLink'] }),
  serve(ReadingType, { behaviour: readingType, reads: meteringReads }),
  serve(ReadingSetList, { behaviour: readingSetList, reads: meteringReads }),
  serve(ReadingSet, { behaviour: readingSet, sort: ['-timePeriod.start'], reads: meteringReads }),
  serve(ReadingList, { behaviour: readingList, subscribable: true, reads: meteringReads }),
  serve(Reading, { behaviour: reading, subscribable: true, sort: ['localID'], reads: meteringReads }),

  serve(ResponseSetList, { behaviour: responseSetList, pollRate: 'other' }),
  serve(ResponseSet, { behaviour: responseSet, sort: ['-mRID'] }),
  serve(ResponseList, { behaviour: responseList, accepts: responses }),
  serve(Response, { behaviour: response, forms: responses, sort: ['-createdDateTime', 'endDeviceLFDI'] }),
]

/** CSIP-AUS adds resources of its own (SEP-240). */
export const registryFor = (profile: Profile): readonly Served[] =>
  [...(profile === 'csip-aus-1.3' ? [...registry.filter((s) => !pricing.includes(s)), ...pricing13] : registry)].filter((s) => (!s.aus || profile.startsWith('csip-aus')) && (s.only === undefined || s.only === profile))
