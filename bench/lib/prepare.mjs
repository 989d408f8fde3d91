// What a sample needs: the peers' packages, and loopscope as the compiled JavaScript that users get.
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { resolve } from 'node:path'

const bench = fileURLToPath(new URL('..', import.meta.url))
const root = fileURLToPath(new URL('../..', import.meta.url))
const npm = (...args) => spawnSync('npm', args, { cwd: bench, stdio: ['ignore', 'inherit', 'inherit'], shell: process.platform === 'win32' })

export function installPeers() {
  if (existsSync(resolve(bench, 'node_modules/effect'))) return
  console.log('bench/node_modules is missing: installing the peers with npm ci')
  if (npm('ci').status !== 0) throw new Error('npm ci in bench/ failed; run with --peers native to go on without packages')
}

/** Compiles src/ to bench/.build and returns the address of its index. Type errors are shown; the code is measured anyway. */
export function buildLoopscope() {
  const out = resolve(bench, '.build')
  rmSync(out, { recursive: true, force: true })
  const tsc = resolve(root, 'node_modules/typescript/bin/tsc')
  const built = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json', '--outDir', out], { cwd: root, encoding: 'utf8' })
  if (built.status !== 0) console.log(`tsc found errors:\n${built.stdout}`)
  return buildAt(out)
}

/** Where the loop calls its instruments, in tsc's output for src/runtime. */
const HOOK = /if \((?:this\.loop\.|this\.|loop\.)?probe !== null\)\s+(?:this\.loop\.|this\.|loop\.)?probe\.\w+\([^;]*\);/g
const FEWEST_HOOKS = 12

/** A copy of a build whose loop has no hooks for instruments, to show the cost of the hooks. */
export function buildHookless(index) {
  const build = fileURLToPath(new URL('../', index))
  const out = resolve(bench, '.build-hookless')
  rmSync(out, { recursive: true, force: true })
  cpSync(build, out, { recursive: true })
  let removed = 0
  for (const name of ['task', 'loop', 'turn', 'queue', 'print']) {
    const file = resolve(out, 'src/runtime', `${name}.js`)
    const text = readFileSync(file, 'utf8').replace(HOOK, () => {
      removed++
      return ''
    })
    writeFileSync(file, text)
  }
  if (removed < FEWEST_HOOKS) throw new Error(`${removed} hooks were found, of at least ${FEWEST_HOOKS}: the pattern no longer fits the code`)
  return buildAt(out)
}

/** The address of the index of an earlier build, made by `tsc -p tsconfig.build.json --outDir DIR`. */
export function buildAt(directory) {
  const index = ['src/index.js', 'index.js'].map((file) => resolve(directory, file)).find(existsSync)
  if (index === undefined) throw new Error(`no build of loopscope in ${directory}`)
  return pathToFileURL(index).href
}

export const packageVersion = (name) => JSON.parse(readFileSync(resolve(bench, 'node_modules', name, 'package.json'), 'utf8')).version

/** The measured commit, with a plus if src/ has uncommitted changes. */
export function commit() {
  const git = (...args) => execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  try {
    return git('rev-parse', '--short', 'HEAD') + (git('status', '--porcelain', '--', 'src') === '' ? '' : '+')
  } catch {
    return null
  }
}
