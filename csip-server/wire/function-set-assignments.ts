import { attribute } from '#core/describe/field.js'
import { resource } from '#core/describe/resource.js'
import { Link, ListLink, listOf, may, Resource, sequence } from '#csip-server/wire/base.js'
import { mRIDType, optional, String32, UInt8, VersionType } from '#csip-server/wire/simple-types.js'

export const FunctionSetAssignments = resource('FunctionSetAssignments', '2030.5-2018 function set assignments; SEP-120', sequence({
  ...Resource,
  subscribable: optional(UInt8(attribute)),
  CustomerAccountListLink: optional(ListLink),
  DemandResponseProgramListLink: optional(ListLink),
  DERProgramListLink: optional(ListLink),
  FileListLink: optional(ListLink),
  MessagingProgramListLink: optional(ListLink),
  PrepaymentListLink: optional(ListLink),
  ResponseSetListLink: optional(ListLink),
  TariffProfileListLink: optional(ListLink),
  TimeLink: optional(Link),
  UsagePointListLink: optional(ListLink),
  mRID: mRIDType(),
  description: optional(String32()),
  version: optional(VersionType()),
}), { href: '/edev/{edev}/fsa/{fsa}', methods: may('GET') })

export const FunctionSetAssignmentsList = listOf(FunctionSetAssignments, '2030.5-2018 function set assignments; SEP-120', { href: '/edev/{edev}/fsa', methods: may('GET'), subscribable: true, pollRate: true })
