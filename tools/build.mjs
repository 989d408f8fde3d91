// The one build: what plain Node runs, in dist/, with source maps; and the page, in dist/ui. It makes only what is missing or
// out of date, so it is cheap to call (`npm start` and the tests call it each time). It runs by itself after `npm ci`; without
// development dependencies it says so and changes nothing.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../', import.meta.url))
const DIST = join(ROOT, 'dist')
const LOCK = join(DIST, '.building')
/** What was made from which sources, and how. */
const MADE = join(DIST, '.made.json')
/** What runs in production. */
const PROGRAM = ['src', 'routes', 'workers', 'examples']
/** What only tests run; tools/ts.mjs loads it. */
const TESTS = ['test', 'ui']
/** The server shows the examples' sources. */
const COPIED = /^examples\/.*\.(ts|py|md)$/
/** All that the page is made of. test/imports.tree.ts sees to it that it imports nothing else of the tree. */
const PAGE = ['ui', 'examples', 'src/browser.ts', 'src/own-code.ts', 'src/seeded.ts', 'src/http/paths.ts', 'src/runtime', 'src/hosts', 'src/events', 'tsconfig.json', 'package-lock.json']
/** What the build is made by. */
const BUILDER = ['tools/build.mjs', 'tsconfig.json', 'tsconfig.build.json']
/** Compiler options that concern more than the one file that is compiled. Types are checked elsewhere. */
const OF_MANY = ['rootDir', 'outDir', 'moduleResolution', 'declaration']

const require = createRequire(import.meta.url)
const digest = (text) => createHash('sha1').update(text).digest('base64')
const read = (path) => readFileSync(path, 'utf8')

/** The digest of each existing file below these paths. File times would not be cheaper, and copying changes them. */
function digestsOf(paths, wanted = /./) {
  const digests = {}
  const add = (path) => {
    const stats = statSync(join(ROOT, path), { throwIfNoEntry: false })
    if (stats?.isDirectory()) for (const name of readdirSync(join(ROOT, path))) add(posix.join(path, name))
    else if (stats !== undefined && wanted.test(path)) digests[path] = digest(readFileSync(join(ROOT, path)))
  }
  paths.forEach(add)
  return digests
}

const isShipped = (path) => PROGRAM.includes(path.split('/')[0])

/** Where the compiled form of a source goes: the program beside the page, the rest in a separate folder. */
export function compiledOf(path) {
  return join(DIST, isShipped(path) ? '' : '.tests', path.replace(/\.ts$/, '.js'))
}

function outputsOf(path) {
  const compiled = !path.endsWith('.ts') ? [] : isShipped(path) ? [compiledOf(path), `${compiledOf(path)}.map`] : [compiledOf(path)]
  return COPIED.test(path) ? [...compiled, join(DIST, path)] : compiled
}

function made() {
  try {
    return JSON.parse(read(MADE))
  } catch {
    return {} // missing, or not readable
  }
}

/** The version of the compiler; `null` if it is not installed, and nothing can be built. */
function compilerVersion() {
  try {
    return JSON.parse(read(require.resolve('typescript/package.json'))).version
  } catch {
    return null
  }
}

/** What has to be made, according to what exists. */
function plan({ page, tests }) {
  const before = made()
  const how = digest(JSON.stringify([compilerVersion(), digestsOf(BUILDER)]))
  const known = before.how === how ? before.files : {}
  const folders = [...PROGRAM, ...(tests ? TESTS : [])].filter((folder) => existsSync(join(ROOT, folder)))
  const isHere = (path) => folders.includes(path.split('/')[0])
  const files = digestsOf(folders, /(?<!\.d)\.ts$|^examples\/.*\.(py|md)$/)
  const stale = Object.keys(files).filter((path) => known[path] !== files[path] || !outputsOf(path).every(existsSync))
  const gone = Object.keys(before.files ?? {}).filter((path) => isHere(path) && !(path in files))
  const others = Object.fromEntries(Object.entries(known).filter(([path]) => !isHere(path)))
  const source = page && existsSync(join(ROOT, 'ui/index.html')) ? digest(JSON.stringify(digestsOf(PAGE))) : null
  const pageIsStale = source !== null && (before.page !== source || !existsSync(join(DIST, 'ui/index.html')))
  return { how, files: { ...others, ...files }, stale, gone, programIsStale: stale.length + gone.length > 0, page: source, pageIsStale }
}

function write(path, content) {
  mkdirSync(dirname(path), { recursive: true })
  // Under another name first: a server that starts meanwhile must not read half a file.
  const draft = `${path}.${process.pid}`
  writeFileSync(draft, content)
  renameSync(draft, path)
}

let options = null

/** Compiles one file, given by its path in the tree or in full, with its map inline or separate. */
export function compile(path, inline) {
  const ts = require('typescript')
  if (options === null) {
    const { config } = ts.readConfigFile(join(ROOT, 'tsconfig.build.json'), read)
    const { options: all } = ts.parseJsonConfigFileContent(config, { ...ts.sys, readDirectory: () => [] }, ROOT)
    options = Object.fromEntries(Object.entries({ ...all, module: ts.ModuleKind.ESNext }).filter(([name]) => !OF_MANY.includes(name)))
  }
  const how = inline ? { ...options, sourceMap: false, inlineSourceMap: true, rewriteRelativeImportExtensions: false } : options
  const { outputText, sourceMapText, diagnostics = [] } = ts.transpileModule(read(join(ROOT, path)), { fileName: basename(path), compilerOptions: how, reportDiagnostics: true })
  if (diagnostics.length > 0) {
    const host = { getCurrentDirectory: () => ROOT, getNewLine: () => '\n', getCanonicalFileName: (name) => name }
    throw new Error(`${path} does not compile:\n${ts.formatDiagnostics(diagnostics, host)}`)
  }
  return { text: outputText, map: sourceMapText }
}

function makeProgram({ how, files, stale, gone }) {
  for (const path of gone) for (const output of [...outputsOf(path), compiledOf(path).replace(/js$/, 'd.ts')]) rmSync(output, { force: true })
  for (const path of stale) {
    if (COPIED.test(path)) write(join(DIST, path), readFileSync(join(ROOT, path)))
    if (!path.endsWith('.ts')) continue
    const { text, map } = compile(path, !isShipped(path))
    const to = compiledOf(path)
    if (map !== undefined) write(`${to}.map`, JSON.stringify({ ...JSON.parse(map), sources: [posix.relative(posix.join('dist', posix.dirname(path)), path)] }))
    write(to, text)
  }
  write(MADE, JSON.stringify({ ...made(), how, files }))
}

async function makePage({ page }) {
  const { build } = await import('vite')
  await build({ root: join(ROOT, 'ui'), configFile: join(ROOT, 'ui/vite.config.ts'), logLevel: 'warn' })
  write(MADE, JSON.stringify({ ...made(), page }))
}

/** Takes the lock; false if another process has it. A lock of a process that died is taken over. */
function take(lock) {
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' })
    return true
  } catch (error) {
    if (error.code !== 'EEXIST') throw error
  }
  try {
    const holder = Number(read(lock))
    if (holder > 0) process.kill(holder, 0)
  } catch (error) {
    if (error.code === 'ESRCH') rmSync(lock, { force: true })
  }
  return false
}

/** Runs what only one process may do at a time. `lock` is a file in dist/. */
export async function alone(lock, work) {
  mkdirSync(DIST, { recursive: true })
  while (!take(lock)) await new Promise((resolve) => setTimeout(resolve, 100))
  try {
    await work()
  } finally {
    rmSync(lock, { force: true })
  }
}

/**
 * Brings dist/ up to date with the sources: the program and, on request, the page and what only tests run. Processes that
 * call this at the same time wait for the first one. Returns why nothing was done, or `null` if all is up to date.
 */
export async function build({ page = true, tests = false } = {}) {
  const first = plan({ page, tests })
  if (!first.programIsStale && !first.pageIsStale) return null
  if (compilerVersion() === null) return 'the server is not built here, or not of these sources: that takes the development dependencies'
  await alone(LOCK, async () => {
    const now = plan({ page, tests })
    if (now.programIsStale) makeProgram(now)
    if (now.pageIsStale) await makePage(now)
  })
  return null
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    const why = await build({ tests: process.argv.includes('--tests') })
    if (why !== null) console.error(why)
  } catch (error) {
    console.error(error.message)
    process.exitCode = 1
  }
}
