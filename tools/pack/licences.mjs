// The licences of the packages that are bundled, in the code and in the page.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

const MODULES = 'node_modules/'
const read = (folder) => JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))

/** The folder of the package that a module is part of; null for one of ours. */
function packageOf(path) {
  const at = path.replaceAll('\\', '/').lastIndexOf(`/${MODULES}`)
  if (at === -1) return null
  const [scope, name] = path.slice(at + MODULES.length + 1).split(/[/\\]/)
  return join(path.slice(0, at + 1), MODULES, scope.startsWith('@') ? `${scope}/${name}` : scope)
}

/** The folder of the package `name`, as a module in `from` finds it. */
function installed(name, from) {
  for (let folder = from; ; folder = dirname(folder)) {
    const found = join(folder, MODULES, name)
    if (existsSync(join(found, 'package.json'))) return found
    if (folder === dirname(folder)) return null
  }
}

/** The packages that the page imports by name, and all that those depend on: Vite does not report which parts it used. */
function packagesOfPage(root) {
  const found = new Set()
  const add = (name, from) => {
    const folder = installed(name, from)
    if (folder === null || found.has(folder)) return
    found.add(folder)
    for (const dependency of Object.keys(read(folder).dependencies ?? {})) add(dependency, folder)
  }
  for (const path of readdirSync(join(root, 'ui'), { recursive: true, encoding: 'utf8' })) {
    if (!/\.tsx?$/.test(path) || /\.config\.ts$|^playground.build/.test(path)) continue
    const text = readFileSync(join(root, 'ui', path), 'utf8')
    for (const [, name] of text.matchAll(/(?:^(?:import|export) (?!type\b)[^'"]*|import\()'((?:@[\w.-]+\/)?\w[\w.-]*)(?:\/[^']*)?'/gm)) add(name, root)
  }
  return found
}

function licenceOf(folder) {
  const { name, version, license, author } = read(folder)
  const file = readdirSync(folder).find((one) => /^(licen[cs]e|copying)/i.test(one))
  const by = typeof author === 'string' ? author : author?.name
  const text = file === undefined ? `${license}${by === undefined ? '' : `, by ${by}`}` : readFileSync(join(folder, file), 'utf8').trim()
  return { title: `${name} ${version} (${license})`, text }
}

/** The text of THIRD-PARTY-LICENSES. `modules`: the paths of all that is bundled. */
export function licencesOf(root, modules) {
  const folders = new Set([...modules.map(packageOf).filter((folder) => folder !== null), ...packagesOfPage(root)])
  const licences = [...folders].map(licenceOf).sort((a, b) => (a.title < b.title ? -1 : 1))
  const line = '-'.repeat(80)
  return `loopscope contains code of these packages:\n\n${licences.map(({ title }) => `    ${title}\n`).join('')}\n${licences.map(({ title, text }) => `${line}\n${title}\n${line}\n${text}\n`).join('\n')}`
}
