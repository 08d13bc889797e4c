import { attribute } from '#core/describe/field.js'
import { resource } from '#core/describe/resource.js'
import { many, may, Resource, sequence } from '#csip-server/wire/base.js'
import { anyURI, inCsipaus, String16 } from '#csip-server/wire/simple-types.js'

/** Where each edition of CSIP-AUS begins (SEP-016). Interpretation: the public texts show no schema for it, so it is a list of version and href in the CSIP-AUS namespace. */
export const VersionList = resource('VersionList', 'CSIP-AUS 1.3 /.well-known/csipaus; SEP-016', inCsipaus(sequence({
  ...Resource,
  Version: many(inCsipaus(sequence({ href: anyURI(attribute), version: String16(attribute) }))),
})), { href: '/.well-known/csipaus', methods: may('GET') })
