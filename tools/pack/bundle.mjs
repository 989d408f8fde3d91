// The package's code: every entry point, thread and command with all that it needs, shared parts once. And the declarations of
// the entry points, with only what they refer to.
import { rolldown } from 'rolldown'
import { dts } from 'rolldown-plugin-dts'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Where the code is in the package: all files in one folder, next to the page. */
export const LIB = 'dist/lib'

/** The names by which the package is imported, and their modules. */
const ENTRIES = {
  index: 'index', browser: 'browser', asgi: 'asgi/index', 'asgi-testing': 'asgi/testing', eslint: 'eslint/index', fastify: 'fastify/index', observe: 'observe/index', redis: 'redis/index',
  register: 'start/register', 'register-required': 'start/register-required', testing: 'testing/index',
}
/** The first modules of threads and the command. No other file has the name of a thread's file. */
const STARTED = { loopscope: 'bin', 'loopscope-observer': 'observe/loopscope-observer', 'loopscope-thread': 'threads/loopscope-thread' }
/** Modules that are imported for their effect; any other may be left out if it is not used. */
const EFFECTS = ['index', 'browser', 'start/register', 'start/register-required', 'testing/sync-calls', ...Object.values(STARTED)]

/**
 * What most programs use of the runtime, with all that it imports, is one file, and the rest another: a bundler leaves out a
 * file that is not used, but not a class next to a line that sets something up.
 */
const COMMON = ['runner', 'sleep', 'gather', 'queue', 'task-group', 'timeout', 'wait', 'tasks', 'print']

/** What users have to install themselves. (Of fastify and eslint only types are imported from there; the observer's thread has its own Fastify.) */
const PEERS = ['@redis/client']
/** Faster versions of what ws does itself. */
const OPTIONAL = ['bufferutil', 'utf-8-validate']

const files = (compiled, entries, ending) => Object.fromEntries(Object.entries(entries).map(([name, path]) => [name, join(compiled, `${path}${ending}`)]))

/** A warning of rolldown would become an error for users. */
function onLog(level, log) {
  // hdr-histogram asks for Node's zlib by eval, and has its own.
  if (level === 'warn' && !(log.code === 'EVAL' && log.message.includes('hdr-histogram-js'))) throw new Error(log.message)
}

async function write(options, output) {
  // How long it takes is no fault.
  const build = await rolldown({ platform: 'node', onLog, checks: { bundlerTimings: false }, ...options })
  try {
    const written = await build.write({ format: 'esm', chunkFileNames: '[name].js', ...output })
    return written.output.filter((one) => one.type === 'chunk')
  } finally {
    await build.close()
  }
}

/** The file at `path` and all that it imports. */
function closure(path, found = new Set()) {
  if (found.has(path)) return found
  found.add(path)
  for (const [, imported] of readFileSync(path, 'utf8').matchAll(/^(?:im|ex)port .*from "(\..*)";$/gm)) closure(join(dirname(path), imported), found)
  return found
}

/** Bundles tsc's output for src/ in `compiled` into `folder`. Returns the paths of the modules, and the files that have effects. */
export async function bundle(compiled, folder) {
  const runtime = new Set(COMMON.flatMap((name) => [...closure(join(compiled, 'runtime', `${name}.js`))]))
  const rest = (id) => id.startsWith(join(compiled, 'runtime')) || id === join(compiled, 'hosts/virtual.js')
  const chunks = await write({
    cwd: compiled,
    input: files(compiled, { ...ENTRIES, ...STARTED }, '.js'),
    external: [...PEERS, ...OPTIONAL],
  }, {
    dir: folder,
    // Documentation is in the declarations.
    comments: { legal: true, annotation: true, jsdoc: false },
    codeSplitting: { groups: [{ name: 'runtime', test: (id) => runtime.has(id), priority: 1 }, { name: 'runtime-more', test: rest }] },
  })
  await write({
    cwd: compiled,
    input: files(compiled, ENTRIES, '.d.ts'),
    external: (id) => !/^[./]|^[A-Z]:/.test(id),
    plugins: [dts({ dtsInput: true, tsconfig: false })],
  }, { dir: folder, entryFileNames: '[name].ts', chunkFileNames: '[name].ts' })
  const effects = EFFECTS.map((path) => join(compiled, `${path}.js`))
  return {
    modules: chunks.flatMap(({ moduleIds }) => moduleIds),
    effective: chunks.filter(({ facadeModuleId, moduleIds }) => [facadeModuleId, ...moduleIds].some((id) => effects.includes(String(id)))).map(({ fileName }) => `./${LIB}/${fileName}`).sort(),
  }
}
