import { dirname, isAbsolute, join } from 'node:path'
import { existsSync, readFileSync } from 'node:fs'
import { Refusal } from '#core/error.js'

/** A schema of the user's, ready to judge documents of its namespace. */
export interface SchemaCheck {
  readonly namespace: string
  /** What breaks the schema, one line each; empty when nothing does. */
  faults(text: string): string[]
}

/**
 * `--xsd FILE`: the published schema may not be handed on, so whoever has a licence brings a copy. Includes and imports are read beside it,
 * and nothing is fetched.
 */
export async function schemaCheck(file: string): Promise<SchemaCheck> {
  if (!existsSync(file)) throw new Refusal('notFound', `${file} cannot be read.`)
  const xml = await import('libxml2-wasm').catch(() => { throw new Refusal('invalid', '--xsd needs the package libxml2-wasm, which is not installed here.') })
  const { fsInputProviders } = await import('libxml2-wasm/lib/nodejs.mjs')
  const beside = (name: string): string => (isAbsolute(name) || name.includes('://') ? name : join(dirname(file), name))
  xml.xmlRegisterInputProvider({ ...fsInputProviders, match: (name: string) => !/^(https?|ftp):/.test(name), open: (name: string) => fsInputProviders.open(beside(name)) })
  const text = readFileSync(file, 'utf8')
  const namespace = /\btargetNamespace\s*=\s*["']([^"']+)/.exec(text)?.[1] ?? ''
  const schema = xml.XmlDocument.fromString(text, { url: file })
  const validator = xml.XsdValidator.fromDoc(schema)
  return {
    namespace,
    faults(document) {
      let doc: InstanceType<typeof xml.XmlDocument> | undefined
      try {
        doc = xml.XmlDocument.fromString(document)
        validator.validate(doc)
        return []
      } catch (error) {
        const details = (error as { details?: { message: string; line: number }[] }).details ?? []
        return details.length ? details.map((d) => `line ${d.line}: ${d.message.trim()}`) : [(error as Error).message]
      } finally {
        doc?.dispose()
      }
    },
  }
}
