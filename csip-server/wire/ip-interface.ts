import { resource } from '#core/describe/resource.js'
import { ListLink, listOf, may, Resource, sequence } from '#csip-server/wire/base.js'
import { Boolean, HexBinary128, HexBinary64, HexBinary8, optional, String16, String192, TimeType, UInt16, UInt32, UInt8 } from '#csip-server/wire/simple-types.js'

const clause = '2030.5-2018 network status; SEP-100'
const item = may('GET', 'PUT', 'DELETE'), list = may('GET', 'POST')
const counter = () => optional(UInt32())

/** A network interface of the device, with the counters of its operating system. */
export const IPInterface = resource('IPInterface', clause, sequence({
  ...Resource,
  ifDescr: optional(String192()),
  ifHighSpeed: counter(),
  ifInBroadcastPkts: counter(),
  ifIndex: counter(),
  ifInDiscards: counter(),
  ifInErrors: counter(),
  ifInMulticastPkts: counter(),
  ifInOctets: counter(),
  ifInUcastPkts: counter(),
  ifInUnknownProtos: counter(),
  ifMtu: counter(),
  ifName: optional(String16()),
  ifOperStatus: optional(UInt8()),
  ifOutBroadcastPkts: counter(),
  ifOutDiscards: counter(),
  ifOutErrors: counter(),
  ifOutMulticastPkts: counter(),
  ifOutOctets: counter(),
  ifOutUcastPkts: counter(),
  ifPromiscuousMode: optional(Boolean()),
  ifSpeed: counter(),
  ifType: optional(UInt16()),
  IPAddrListLink: optional(ListLink),
  lastResetTime: optional(TimeType()),
  lastUpdatedTime: optional(TimeType()),
  LLInterfaceListLink: optional(ListLink),
}), { href: '/edev/{edev}/ns/{ns}', methods: item })
export const IPInterfaceList = listOf(IPInterface, clause, { href: '/edev/{edev}/ns', methods: list, pollRate: true })

export const IPAddr = resource('IPAddr', clause, sequence({
  ...Resource,
  address: HexBinary128({ description: 'An IPv6 address, or an IPv4 one mapped into it.' }),
  RPLInstanceListLink: optional(ListLink),
}), { href: '/edev/{edev}/ns/{ns}/addr/{addr}', methods: item })
export const IPAddrList = listOf(IPAddr, clause, { href: '/edev/{edev}/ns/{ns}/addr', methods: list })

/** Routing of low-power networks, RFC 6550. */
export const RPLInstance = resource('RPLInstance', clause, sequence({
  ...Resource,
  DODAGid: UInt8(),
  DODAGroot: Boolean(),
  flags: UInt8(),
  groundedFlag: Boolean(),
  MOP: UInt8(),
  PRF: UInt8(),
  rank: UInt16(),
  RPLInstanceID: UInt8(),
  RPLSourceRoutesListLink: optional(ListLink),
  versionNumber: UInt8(),
}), { href: '/edev/{edev}/ns/{ns}/addr/{addr}/rpl/{rpl}', methods: item })
export const RPLInstanceList = listOf(RPLInstance, clause, { href: '/edev/{edev}/ns/{ns}/addr/{addr}/rpl', methods: list })

export const RPLSourceRoutes = resource('RPLSourceRoutes', clause, sequence({
  ...Resource,
  DestAddress: HexBinary128(),
  SourceRoute: HexBinary128(),
}), { href: '/edev/{edev}/ns/{ns}/addr/{addr}/rpl/{rpl}/srt/{srt}', methods: item })
export const RPLSourceRoutesList = listOf(RPLSourceRoutes, clause, { href: '/edev/{edev}/ns/{ns}/addr/{addr}/rpl/{rpl}/srt', methods: list })

export const IEEE_802_15_4 = sequence({
  capabilityInfo: HexBinary8(),
  NeighborListLink: optional(ListLink),
  shortAddress: UInt16(),
})

export const loWPAN = sequence({
  octetsRx: counter(),
  octetsTx: counter(),
  packetsRx: UInt32(),
  packetsTx: UInt32(),
  rxFragError: UInt32(),
})

/** What is below the interface's IP: Ethernet, Wi-Fi, 802.15.4. */
export const LLInterface = resource('LLInterface', clause, sequence({
  ...Resource,
  CRCerrors: UInt32(),
  EUI64: HexBinary64(),
  IEEE_802_15_4: optional(IEEE_802_15_4),
  linkLayerType: UInt8(),
  LLAckNotRx: counter(),
  LLCSMAFail: counter(),
  LLFramesDropRx: counter(),
  LLFramesDropTx: counter(),
  LLFramesRx: counter(),
  LLFramesTx: counter(),
  LLMediaAccessFail: counter(),
  LLOctetsRx: counter(),
  LLOctetsTx: counter(),
  LLRetryCount: counter(),
  LLSecurityErrorRx: counter(),
  loWPAN: optional(loWPAN),
}), { href: '/edev/{edev}/ns/{ns}/ll/{ll}', methods: item })
export const LLInterfaceList = listOf(LLInterface, clause, { href: '/edev/{edev}/ns/{ns}/ll', methods: list })

export const Neighbor = resource('Neighbor', clause, sequence({
  ...Resource,
  isChild: Boolean(),
  linkQuality: UInt8(),
  shortAddress: UInt16(),
}), { href: '/edev/{edev}/ns/{ns}/ll/{ll}/nbh/{nbh}', methods: item })
export const NeighborList = listOf(Neighbor, clause, { href: '/edev/{edev}/ns/{ns}/ll/{ll}/nbh', methods: list })
