import { Type, type TSchema } from 'typebox'
import { boolean, hexBinary, int64, integer, text, type FieldOptions } from '#core/describe/field.js'

/** Simple types of IEEE 2030.5-2018, with the names of its schema. Ranges narrower than the lexical type are the standard's own value lists. */
export const optional = <S extends TSchema>(schema: S) => Type.Optional(schema)
/** The same element in the CSIP-AUS namespace (SEP-240). */
export const csipaus = { xml: { prefix: 'csipaus' } } as const
export const inCsipaus = <S extends TSchema>(schema: S): S => Object.assign(Object.create(Object.getPrototypeOf(schema)) as S, schema, csipaus)

type O = FieldOptions
export const Boolean = (o: O = {}) => boolean(o)
export const UInt8 = (o: O = {}) => integer(0, 255, o)
export const UInt16 = (o: O = {}) => integer(0, 65_535, o)
export const UInt32 = (o: O = {}) => integer(0, 4_294_967_295, o)
export const UInt40 = (o: O = {}) => integer(0, 2 ** 40 - 1, o)
export const UInt48 = (o: O = {}) => integer(0, 281_474_976_710_655, o)
export const Int8 = (o: O = {}) => integer(-128, 127, o)
export const Int16 = (o: O = {}) => integer(-32_768, 32_767, o)
export const Int32 = (o: O = {}) => integer(-2_147_483_648, 2_147_483_647, o)
export const Int48 = (o: O = {}) => integer(-140_737_488_355_328, 140_737_488_355_328, o)
/** SEP-028: kept and given back without loss. */
export const Int64 = (o: O = {}) => int64(o)
/** One of the whole numbers from `low` to `high` that the standard lists. */
export const oneOf = (low: number, high: number, o: O = {}) => integer(low, high, o)

export const TimeType = Int64
/** So far a calendar goes, less the longest duration and two randomisations: a sum of such a time and an interval is exact and has a date (year 273,000). */
const latest = 8_640_000_000_000 - 2 ** 33
/** A TimeType that we reckon with: interval and event times. Interpretation: beyond the calendar it is refused as out of range. */
export const Instant = (o: O = {}) => integer(-latest, latest, o)
export const isInstant = (value: unknown): value is number => Number.isInteger(value) && Math.abs(value as number) <= latest
export const TimeOffsetType = (o: O = {}) => integer(-50_400, 50_400, o)
export const OneHourRangeType = (o: O = {}) => integer(-3600, 3600, o)
export const PerCent = (o: O = {}) => integer(0, 10_000, o)
export const SignedPerCent = (o: O = {}) => integer(-10_000, 10_000, o)
/** 0 to 6, and the kinds of storage: 80 other, 81 EV, 82 EVSE, 83 with PV (SEP-142). */
export const DERType = (o: O = {}) => Type.Integer({ minimum: 0, maximum: 83, ...o, enum: [0, 1, 2, 3, 4, 5, 6, 80, 81, 82, 83] })
export const PowerOfTenMultiplierType = (o: O = {}) => integer(-9, 9, o)
export const PrimacyType = UInt8
export const SFDIType = (o: O = {}) => integer(0, 687_194_767_357, o)
export const PINType = (o: O = {}) => integer(0, 999_999, o)
export const PENType = UInt32
export const VersionType = UInt16

export const HexBinary8 = (o: O = {}) => hexBinary(1, o)
export const HexBinary16 = (o: O = {}) => hexBinary(2, o)
export const HexBinary32 = (o: O = {}) => hexBinary(4, o)
export const HexBinary64 = (o: O = {}) => hexBinary(8, o)
export const HexBinary128 = (o: O = {}) => hexBinary(16, o)
export const HexBinary160 = (o: O = {}) => hexBinary(20, o)
/** 1…16 bytes; kept as given, compared as a number (SEP-063). */
export const mRIDType = (o: O = {}) => Type.String({ ...o, pattern: '^([0-9A-Fa-f]{2}){1,16}$', xml: { ...o.xml, lexical: 'hex' as const } })
/** An LFDI is 20 bytes, never fewer (SEP-027). */
export const LFDI = (o: O = {}) => Type.String({ ...o, pattern: '^([0-9A-Fa-f]{2}){20}$', xml: { ...o.xml, lexical: 'hex' as const } })
export const DeviceCategoryType = HexBinary32
export const DERControlType = HexBinary32
export const RoleFlagsType = HexBinary16
export const DstRuleType = HexBinary32

export const String6 = (o: O = {}) => text(6, o)
export const String16 = (o: O = {}) => text(16, o)
export const String20 = (o: O = {}) => text(20, o)
export const String32 = (o: O = {}) => text(32, o)
export const String42 = (o: O = {}) => text(42, o)
export const String192 = (o: O = {}) => text(192, o)
export const String = (o: O = {}) => text(65_536, o)
export const anyURI = (o: O = {}) => text(2048, o)
export const LocaleType = String42
