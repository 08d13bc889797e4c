// Prints the bill of materials of what is shipped (CycloneDX JSON), from package-lock.json; build first. SEC-067.
import { readFileSync } from 'node:fs'
import { billOfMaterials } from '../build/deploy/bill-of-materials.js'

const read = (file) => JSON.parse(readFileSync(new URL(`../${file}`, import.meta.url), 'utf8'))
const { name, version } = read('package.json')
process.stdout.write(`${JSON.stringify(billOfMaterials(read('package-lock.json'), { name, version }), undefined, 2)}\n`)
