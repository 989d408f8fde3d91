// node tools/pack.mjs DIR: writes the tarball that would be published into DIR, and prints its path. Everything is made again
// from the sources, except the page, which must be in dist/ui: `npm run pack -- DIR` builds that first.
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { bundle, LIB } from './pack/bundle.mjs'
import { copyDocuments } from './pack/documents.mjs'
import { licencesOf } from './pack/licences.mjs'
import { manifestOf } from './pack/manifest.mjs'

const ROOT = resolve(import.meta.dirname, '..')

function run(command, args, cwd) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8', shell: process.platform === 'win32' && command === 'npm' })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed: ${error?.message ?? `${stdout}${stderr}`}`)
  return stdout
}

const [to, ...more] = process.argv.slice(2)
if (to === undefined || more.length > 0) {
  console.error('npm run pack -- DIR: writes the tarball that would be published into DIR')
  process.exit(2)
}
const page = join(ROOT, 'dist/ui')
if (!existsSync(join(page, 'index.html'))) {
  console.error('pack: the page is not built: npm run build')
  process.exit(1)
}
mkdirSync(to, { recursive: true })

// In the tree, so that what is bundled is found from there.
const work = mkdtempSync(join(ROOT, 'dist/.pack-'))
try {
  const compiled = join(work, 'compiled')
  const folder = join(work, 'package')
  run(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.build.json', '--outDir', compiled, '--sourceMap', 'false', '--stripInternal'], ROOT)
  const { modules, effective } = await bundle(join(compiled, 'src'), join(folder, LIB))
  const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifestOf(manifest, effective), null, 2)}\n`)
  writeFileSync(join(folder, 'THIRD-PARTY-LICENSES'), licencesOf(ROOT, modules))
  cpSync(page, join(folder, 'dist/ui'), { recursive: true })
  copyDocuments(ROOT, folder)
  const [{ filename }] = JSON.parse(run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', resolve(to)], folder))
  console.log(join(to, filename))
} finally {
  rmSync(work, { recursive: true })
}
