import { resource } from '#core/describe/resource.js'
import { Link, listOf, may, pollRate, Resource, sequence } from '#csip-server/wire/base.js'
import { HexBinary16, LFDI, optional, PENType, String16, String32, TimeType, anyURI, UInt16, UInt32, UInt8 } from '#csip-server/wire/simple-types.js'

const clause = '2030.5-2018 file download; SEP-100, SEP-040'

/** A file that devices may load: where it lies, whom it is for, when it takes effect. */
export const File = resource('File', clause, sequence({
  ...Resource,
  activateTime: optional(TimeType({ description: 'When to use it; 0 or absent: once told by other means.' })),
  fileURI: anyURI({ description: 'Where its content is.' }),
  lFDI: optional(LFDI({ description: 'The one device that it is for.' })),
  mfHwVer: optional(String32()),
  mfID: PENType(),
  mfModel: String32(),
  mfSerNum: optional(String32()),
  mfVer: String16(),
  size: UInt32({ description: 'Octets.' }),
  type: HexBinary16({ description: '00 software image, 01 security credential, 02 configuration, 03 log, 7FFF other.' }),
}), { href: '/file/{file}', methods: may('GET') })
export const FileList = listOf(File, clause, { href: '/file', methods: may('GET'), pollRate: true })

/** How far a device has come with a file. */
export const FileStatus = resource('FileStatus', clause, sequence({
  ...Resource,
  ...pollRate,
  activateTime: optional(TimeType()),
  FileLink: optional(Link),
  loadPercent: UInt8(),
  nextRequestAttempt: TimeType(),
  request503Count: UInt16(),
  requestFailCount: UInt16(),
  status: UInt8(),
  statusTime: TimeType(),
}), { href: '/edev/{edev}/fs', methods: may('GET', 'PUT') })
