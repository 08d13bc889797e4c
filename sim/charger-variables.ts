/** The device model of a simulated station: the variables that a CSMS reads before it sends profiles (OCPP 2.0.1 Part 2 §2.1, appendix). */
interface Variable { readonly component: string; readonly name: string; readonly instance?: string; value: string; readonly mutability: 'ReadOnly' | 'ReadWrite' | 'WriteOnly'; readonly dataType: string }

interface Asked { component: { name: string }; variable: { name: string; instance?: string }; attributeType?: string; attributeValue?: string }
type Payload = Record<string, unknown>

const table = (stationId: string, rated_W: number): Variable[] => {
  const one = (component: string, name: string, value: string, dataType = 'string', mutability: Variable['mutability'] = 'ReadOnly', instance?: string): Variable =>
    ({ component, name, value, dataType, mutability, ...(instance === undefined ? {} : { instance }) })
  return [
    one('SmartChargingCtrlr', 'Available', 'true', 'boolean'), one('SmartChargingCtrlr', 'Enabled', 'true', 'boolean', 'ReadWrite'),
    one('SmartChargingCtrlr', 'ProfileStackLevel', '10', 'integer'), one('SmartChargingCtrlr', 'PeriodsPerSchedule', '24', 'integer'),
    one('SmartChargingCtrlr', 'RateUnit', 'W,A', 'MemberList'), one('SmartChargingCtrlr', 'Entries', '0', 'integer', 'ReadOnly', 'ChargingProfiles'),
    one('SmartChargingCtrlr', 'LimitChangeSignificance', '5', 'decimal', 'ReadWrite'),
    one('DeviceDataCtrlr', 'ItemsPerMessage', '20', 'integer', 'ReadOnly', 'GetVariables'), one('DeviceDataCtrlr', 'ItemsPerMessage', '20', 'integer', 'ReadOnly', 'SetVariables'),
    one('DeviceDataCtrlr', 'ItemsPerMessage', '20', 'integer', 'ReadOnly', 'GetReport'), one('DeviceDataCtrlr', 'BytesPerMessage', '65536', 'integer', 'ReadOnly', 'GetVariables'),
    one('DeviceDataCtrlr', 'BytesPerMessage', '65536', 'integer', 'ReadOnly', 'SetVariables'), one('DeviceDataCtrlr', 'BytesPerMessage', '65536', 'integer', 'ReadOnly', 'GetReport'),
    one('OCPPCommCtrlr', 'HeartbeatInterval', '300', 'integer', 'ReadWrite'), one('OCPPCommCtrlr', 'NetworkConfigurationPriority', '1', 'SequenceList', 'ReadWrite'),
    one('OCPPCommCtrlr', 'MessageTimeout', '30', 'integer', 'ReadWrite', 'Default'),
    one('TxCtrlr', 'TxStartPoint', 'EVConnected', 'MemberList', 'ReadWrite'), one('TxCtrlr', 'TxStopPoint', 'EVConnected', 'MemberList', 'ReadWrite'),
    one('TxCtrlr', 'EVConnectionTimeOut', '60', 'integer', 'ReadWrite'), one('TxCtrlr', 'StopTxOnInvalidId', 'false', 'boolean', 'ReadWrite'),
    one('AlignedDataCtrlr', 'Interval', '900', 'integer', 'ReadWrite'), one('AlignedDataCtrlr', 'SendDuringIdle', 'true', 'boolean', 'ReadWrite'),
    one('AlignedDataCtrlr', 'Measurands', 'Energy.Active.Import.Register,Power.Active.Import', 'MemberList', 'ReadWrite'),
    one('SampledDataCtrlr', 'TxUpdatedInterval', '0', 'integer', 'ReadWrite'), one('SampledDataCtrlr', 'TxUpdatedMeasurands', 'Energy.Active.Import.Register,Power.Active.Import', 'MemberList', 'ReadWrite'),
    one('SampledDataCtrlr', 'RegisterValuesWithoutPhases', 'true', 'boolean', 'ReadWrite'),
    one('SecurityCtrlr', 'SecurityProfile', '2', 'integer'), one('SecurityCtrlr', 'Identity', stationId), one('SecurityCtrlr', 'BasicAuthPassword', '', 'string', 'WriteOnly'),
    one('SecurityCtrlr', 'OrganizationName', 'Loadstone', 'string', 'ReadWrite'), one('AuthCtrlr', 'AuthorizeRemoteStart', 'false', 'boolean', 'ReadWrite'),
    one('ChargingStation', 'AvailabilityState', 'Available', 'OptionList'), one('ChargingStation', 'SupplyPhases', '3', 'integer'),
    one('EVSE', 'Power', String(rated_W), 'decimal'), one('EVSE', 'SupplyPhases', '3', 'integer'), one('Connector', 'ConnectorType', 'cType2', 'string'),
  ]
}

const same = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase()

export function variables(stationId: string, rated_W: number) {
  const all = table(stationId, rated_W)
  const find = (asked: Asked): Variable | undefined => all.find((v) =>
    same(v.component, asked.component.name) && same(v.name, asked.variable.name) && (asked.variable.instance === undefined || same(v.instance ?? '', asked.variable.instance)))
  const missing = (asked: Asked): string => all.some((v) => same(v.component, asked.component.name)) ? 'UnknownVariable' : 'UnknownComponent'
  const echo = (asked: Asked): Payload => ({ component: asked.component, variable: asked.variable, ...(asked.attributeType ? { attributeType: asked.attributeType } : {}) })
  return {
    get: (params: unknown): Payload => ({
      getVariableResult: (params as { getVariableData: Asked[] }).getVariableData.map((asked) => {
        const found = find(asked)
        if (!found) return { ...echo(asked), attributeStatus: missing(asked) }
        return found.mutability === 'WriteOnly' ? { ...echo(asked), attributeStatus: 'Rejected' } : { ...echo(asked), attributeStatus: 'Accepted', attributeValue: found.value }
      }),
    }),
    set: (params: unknown): Payload => ({
      setVariableResult: (params as { setVariableData: Asked[] }).setVariableData.map((asked) => {
        const found = find(asked)
        if (!found) return { ...echo(asked), attributeStatus: missing(asked) }
        if (found.mutability === 'ReadOnly') return { ...echo(asked), attributeStatus: 'Rejected' }
        found.value = asked.attributeValue ?? ''
        return { ...echo(asked), attributeStatus: 'Accepted' }
      }),
    }),
    /** NotifyReport parts of at most 20 variables (B07). */
    report(requestId: number, generatedAt: string): [string, Payload][] {
      const parts: [string, Payload][] = []
      for (let at = 0; at < all.length; at += 20) {
        parts.push(['NotifyReport', {
          requestId, generatedAt, seqNo: parts.length, tbc: at + 20 < all.length,
          reportData: all.slice(at, at + 20).map((v) => ({
            component: { name: v.component, ...(v.component === 'EVSE' || v.component === 'Connector' ? { evse: { id: 1, ...(v.component === 'Connector' ? { connectorId: 1 } : {}) } } : {}) },
            variable: { name: v.name, ...(v.instance === undefined ? {} : { instance: v.instance }) },
            variableAttribute: [{ type: 'Actual', mutability: v.mutability, ...(v.mutability === 'WriteOnly' ? {} : { value: v.value }) }],
            variableCharacteristics: { dataType: v.dataType, supportsMonitoring: false, ...(v.name === 'Power' ? { maxLimit: rated_W, unit: 'W' } : {}) },
          })),
        }])
      }
      return parts
    },
  }
}
