// The one build: what plain Node runs, in dist/, with source maps; and the page, in dist/ui. It makes only what is not there or
// not of these sources, so that it costs next to nothing where all is (`npm start` asks each time, and so do tests). It runs by
// itself after `npm ci`; without development dependencies it says so and leaves things as they are.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../', import.meta.url))
const DIST = join(ROOT, 'dist')
const LOCK = join(DIST, '.building')
/** What was made of which sources. */
const MADE = join(DIST, '.made.json')
const FOLDERS = ['src', 'routes', 'workers', 'examples']
/** The server shows the examples as they were written. */
const COPIED = /^examples\/.*\.(ts|py|md)$/
/** All that the page is made of. test/imports.test.ts sees to it that it imports nothing else of the tree. */
const PAGE = ['ui', 'examples', 'src/browser.ts', 'src/runtime', 'src/hosts', 'src/events', 'tsconfig.json', 'package-lock.json']

/** What the compiler's options say of more than the one file that is being compiled. Types are checked elsewhere. */
const OF_MANY = ['rootDir', 'outDir', 'moduleResolution', 'declaration']

const digest = (text) => createHash('sha1').update(text).digest('base64')
const read = (path) => readFileSync(path, 'utf8')

/** The digest of each file below these paths that is there. Times of files would be no cheaper, and say less: copying changes them. */
function digestsOf(paths) {
  const digests = {}
  const add = (path) => {
    const stats = statSync(join(ROOT, path), { throwIfNoEntry: false })
    if (stats?.isDirectory()) for (const name of readdirSync(join(ROOT, path))) add(posix.join(path, name))
    else if (stats !== undefined) digests[path] = digest(readFileSync(join(ROOT, path)))
  }
  paths.forEach(add)
  return digests
}

const isProgram = (path) => path.endsWith('.ts')
const compiledOf = (path) => join(DIST, path.replace(/\.ts$/, '.js'))

/** What is made of a file; nothing of a README, for one. */
function outputsOf(path) {
  const compiled = isProgram(path) ? [compiledOf(path), `${compiledOf(path)}.map`] : []
  return COPIED.test(path) ? [...compiled, join(DIST, path)] : compiled
}

function made() {
  try {
    return JSON.parse(read(MADE))
  } catch {
    return {} // nothing yet, or by another hand
  }
}

/** The installed TypeScript's version; `null` where it is not there, which is where nothing can be built. */
function compiler() {
  const manifest = join(ROOT, 'node_modules/typescript/package.json')
  return existsSync(manifest) ? JSON.parse(read(manifest)).version : null
}

/** What is to be done, by what is there. */
function plan() {
  const before = made()
  const how = digest(JSON.stringify([compiler(), digestsOf(['tools/build.mjs', 'tsconfig.json', 'tsconfig.build.json'])]))
  const folders = FOLDERS.filter((folder) => existsSync(join(ROOT, folder)))
  const files = Object.fromEntries(Object.entries(digestsOf(folders)).filter(([path]) => outputsOf(path).length > 0))
  const known = before.how === how ? before.files : {}
  const stale = Object.keys(files).filter((path) => known[path] !== files[path] || !outputsOf(path).every(existsSync))
  const gone = Object.keys(before.files ?? {}).filter((path) => !(path in files) && folders.includes(path.split('/')[0]))
  const page = existsSync(join(ROOT, 'ui/index.html')) ? digest(JSON.stringify(digestsOf(PAGE))) : null
  return { how, files, stale, gone, page, pageIsStale: page !== null && (before.page !== page || !existsSync(join(DIST, 'ui/index.html'))) }
}

function write(path, content) {
  mkdirSync(dirname(path), { recursive: true })
  // Under another name first: a server that starts meanwhile must not read half a file.
  const draft = `${path}.${process.pid}`
  writeFileSync(draft, content)
  renameSync(draft, path)
}

function compile(ts, compilerOptions, path) {
  const { outputText, sourceMapText, diagnostics } = ts.transpileModule(read(join(ROOT, path)), { fileName: basename(path), compilerOptions, reportDiagnostics: true })
  if (diagnostics.length > 0) {
    const host = { getCurrentDirectory: () => ROOT, getNewLine: () => '\n', getCanonicalFileName: (name) => name }
    throw new Error(`${path} does not compile:\n${ts.formatDiagnostics(diagnostics, host)}`)
  }
  const to = compiledOf(path)
  const map = { ...JSON.parse(sourceMapText), sources: [posix.relative(posix.join('dist', posix.dirname(path)), path)] }
  write(`${to}.map`, JSON.stringify(map))
  write(to, outputText)
}

async function makeProgram({ how, files, stale, gone }) {
  for (const path of gone) for (const output of [...outputsOf(path), compiledOf(path).replace(/js$/, 'd.ts')]) rmSync(output, { force: true })
  if (stale.length > 0) {
    const { default: ts } = await import('typescript')
    const { options: all } = ts.parseJsonConfigFileContent(ts.readConfigFile(join(ROOT, 'tsconfig.build.json'), read).config, { ...ts.sys, readDirectory: () => [] }, ROOT)
    const options = Object.fromEntries(Object.entries({ ...all, module: ts.ModuleKind.ESNext }).filter(([name]) => !OF_MANY.includes(name)))
    for (const path of stale) {
      if (isProgram(path)) compile(ts, options, path)
      if (COPIED.test(path)) write(join(DIST, path), readFileSync(join(ROOT, path)))
    }
  }
  write(MADE, JSON.stringify({ ...made(), how, files }))
}

async function makePage({ page }) {
  const { build } = await import('vite')
  await build({ root: join(ROOT, 'ui'), configFile: join(ROOT, 'ui/vite.config.ts'), logLevel: 'warn' })
  write(MADE, JSON.stringify({ ...made(), page }))
}

/** Take the lock, or see that another process has it. One that was left by a process that died is taken over. */
function take() {
  try {
    writeFileSync(LOCK, String(process.pid), { flag: 'wx' })
    return true
  } catch (error) {
    if (error.code !== 'EEXIST') throw error
  }
  try {
    const holder = Number(read(LOCK))
    if (holder > 0) process.kill(holder, 0)
  } catch (error) {
    if (error.code === 'ESRCH') rmSync(LOCK, { force: true })
  }
  return false
}

/**
 * Bring dist/ up to date with the sources: the program and, if asked for, the page. Processes that ask at the same time wait
 * for the first one. Gives why it is left as it is, or `null` where all is as it should be.
 */
export async function build({ page = true } = {}) {
  const isStale = ({ stale, gone, pageIsStale }) => stale.length > 0 || gone.length > 0 || page && pageIsStale
  const first = plan()
  if (!isStale(first)) return null
  if (compiler() === null) return 'the server is not built here, or not of these sources: that takes the development dependencies'
  mkdirSync(DIST, { recursive: true })
  while (!take()) await new Promise((resolve) => setTimeout(resolve, 100))
  try {
    const now = plan()
    if (now.stale.length > 0 || now.gone.length > 0) await makeProgram(now)
    if (page && now.pageIsStale) await makePage(now)
  } finally {
    rmSync(LOCK, { force: true })
  }
  return null
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    const why = await build()
    if (why !== null) console.error(why)
  } catch (error) {
    console.error(error.message)
    process.exitCode = 1
  }
}
