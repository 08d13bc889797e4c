import type { Log } from '#core/port/log.js'
import type { CsmsConfig } from './config.js'
import type { Journal } from './journal.js'
import { transactionDocument } from './message/transaction-event.js'
import type { Parts } from './parts.js'
import type { Payload } from './rpc/outgoing.js'
import type { Station } from './station.js'

/** Boot reasons after which transactions may have been lost (OCPP-086). */
const restarts = new Set(['PowerUp', 'Watchdog', 'LocalReset'])

/** What OCPP-090 wants to know, for a station that gives no full report. */
const asked: readonly [component: string, variable: string, instance?: string][] = [
  ['SmartChargingCtrlr', 'ProfileStackLevel'], ['SmartChargingCtrlr', 'PeriodsPerSchedule'], ['SmartChargingCtrlr', 'RateUnit'], ['SmartChargingCtrlr', 'Entries', 'ChargingProfiles'],
  ['DeviceDataCtrlr', 'ItemsPerMessage', 'GetReport'], ['DeviceDataCtrlr', 'ItemsPerMessage', 'GetVariables'], ['DeviceDataCtrlr', 'ItemsPerMessage', 'SetVariables'],
  ['OCPPCommCtrlr', 'HeartbeatInterval'], ['OCPPCommCtrlr', 'NetworkConfigurationPriority'], ['OCPPCommCtrlr', 'OfflineThreshold'], ['TxCtrlr', 'TxStartPoint'], ['TxCtrlr', 'TxStopPoint'],
]

const measurands = ['Energy.Active.Import.Register', 'Power.Active.Import', 'Current.Import', 'Voltage', 'Current.Offered', 'Power.Offered', 'SoC']

/** OCPP-176: what verification needs the station to measure. A list is cut to what the variable's valuesList knows. */
const wanted: readonly [component: string, variable: string, value: string | readonly string[]][] = [
  ['SampledDataCtrlr', 'TxUpdatedInterval', '60'], ['SampledDataCtrlr', 'TxUpdatedMeasurands', measurands], ['AlignedDataCtrlr', 'Interval', '900'],
  ['AlignedDataCtrlr', 'Measurands', ['Energy.Active.Import.Register']], ['AlignedDataCtrlr', 'SendDuringIdle', 'true'], ['SampledDataCtrlr', 'RegisterValuesWithoutPhases', 'true'],
]

const data = (component: string, variable: string, instance?: string): object =>
  ({ component: { name: component }, variable: { name: variable, ...(instance === undefined ? {} : { instance }) } })

/** The settings of our baseline that a station has, may have changed, and has otherwise; and the texts of its cost display (OCPP-167). Pure. */
export function configurationFor(station: Station, texts: { readonly tariff?: string; readonly cost?: string }): object[] {
  const out: object[] = []
  const set = (component: string, name: string, value: string): void => {
    const known = station.variable(component, name)
    if (!known || known.attributes.Actual?.mutability === 'ReadOnly' || known.attributes.Actual?.value === value) return
    out.push({ ...data(component, name), attributeValue: value })
  }
  for (const [component, name, value] of wanted) {
    if (typeof value === 'string') { set(component, name, value); continue }
    const list = station.variable(component, name)?.characteristics?.valuesList?.split(',').map((v) => v.trim())
    const able = value.filter((v) => list === undefined || list.includes(v))
    if (able.length > 0) set(component, name, able.join(','))
  }
  if (texts.tariff !== undefined && station.actual('TariffCostCtrlr', 'Available', 'Tariff') === 'true') set('TariffCostCtrlr', 'TariffFallbackMessage', texts.tariff)
  if (texts.cost !== undefined && station.actual('TariffCostCtrlr', 'Available', 'Cost') === 'true') set('TariffCostCtrlr', 'TotalCostFallbackMessage', texts.cost)
  return out
}

/** What follows an Accepted boot (OCPP-086, 090): lost transactions, the device model, our configuration, its monitors. */
export function postBoot({ log, journal, parts, config, send, command }: {
  log: Log; journal: Journal; parts: Parts; config: CsmsConfig
  send(station: Station, action: string, payload: object): Promise<Payload>
  /** With splitting to what the station takes. */
  command(station: Station, action: string, payload: object): Promise<unknown>
}): (station: Station, fresh: boolean) => void {
  async function ask(station: Station, action: string, payload: object): Promise<Payload | undefined> {
    try {
      return await send(station, action, payload)
    } catch (error) {
      log.info({ station: station.identity, action, cause: error instanceof Error ? error.message : String(error) }, 'a post-boot question got no answer')
      return undefined
    }
  }

  /** OCPP-086, 141: a reboot ends no transaction by itself, so each open one is asked for. */
  async function askOpen(station: Station): Promise<void> {
    for (const t of [...station.transactions.values()].filter((x) => !x.ended)) {
      const answer = await ask(station, 'GetTransactionStatus', { transactionId: t.id })
      if (answer?.ongoingIndicator !== false || answer.messagesInQueue !== false) continue
      t.orphaned = true
      await journal.write([transactionDocument(station, t)])
    }
  }

  /** B07: a partial report keeps what it brought; nothing known is deleted (OCPP-092). */
  async function report(station: Station, action: 'GetBaseReport' | 'GetMonitoringReport', payload: object): Promise<boolean> {
    const requestId = (station.record.counters.request += 1)
    const joined = parts.expect(station, action === 'GetBaseReport' ? 'NotifyReport' : 'NotifyMonitoringReport', requestId)
    // OCPP-091: refused or empty is an answer too, and not asked again.
    if ((await ask(station, action, { requestId, ...payload }))?.status !== 'Accepted') return false
    const { state } = await joined
    if (state !== 'complete') log.info({ station: station.identity, action, state, clause: 'OCPP-092' }, 'the report is not complete')
    return state === 'complete'
  }

  async function learn(station: Station): Promise<void> {
    const whole = await report(station, 'GetBaseReport', { reportBase: 'FullInventory' })
    if (!whole) await command(station, 'GetVariables', { getVariableData: asked.map(([c, v, i]) => data(c, v, i)) })
    const settings = configurationFor(station, config.texts)
    if (settings.length > 0) await command(station, 'SetVariables', { setVariableData: settings })
    // N04.FR.19: monitors that survived are known before any is set.
    if (station.variable('MonitoringCtrlr', 'Enabled') ?? station.variable('MonitoringCtrlr', 'Available')) await report(station, 'GetMonitoringReport', {})
  }

  return (station, fresh) => {
    if (station.session.version !== '1.6' && restarts.has(station.record.boot?.reason ?? '')) void askOpen(station)
    if (!config.postBootReport || !fresh) return
    if (station.session.version === '1.6') void ask(station, 'GetConfiguration', {})
    else learn(station).catch((error: unknown) => log.info({ station: station.identity, cause: String(error), clause: 'OCPP-090' }, 'post-boot'))
  }
}
