// The package's code: every entry point, thread and command with all that it needs, shared pieces once. And the declarations
// of the entry points, with what they refer to and nothing else.
import { rolldown } from 'rolldown'
import { dts } from 'rolldown-plugin-dts'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Where the code is in the package: all files side by side, beside the page. */
export const LIB = 'dist/lib'

/** What is imported by the name of the package, and the module that it is. */
const ENTRIES = {
  index: 'index', browser: 'browser', eslint: 'eslint/index', fastify: 'fastify/index', observe: 'observe/index', redis: 'redis/index',
}
/** What threads and the command begin with. The names of threads' files are nobody else's. */
const STARTED = { loopscope: 'load/bin', 'loopscope-observer': 'observe/loopscope-observer', 'loopscope-thread': 'threads/loopscope-thread' }
/** The modules for whose effect the package is imported; any other may be left out where nothing of it is used. */
const EFFECTS = ['index', 'browser', ...Object.values(STARTED)]

/**
 * What most programs use of the runtime, with all that it imports, is one file, and the rest another: a bundler leaves out a file
 * of which nothing is used, but not a class with a line beside it that sets something up.
 */
const COMMON = ['runner', 'sleep', 'gather', 'queue', 'task-group', 'timeout', 'wait', 'tasks', 'print']

/** Whatever its user has to install himself. (Of fastify and eslint only types are imported from there; the observer's thread has a Fastify of its own.) */
const PEERS = ['@redis/client']
/** Faster versions of what ws does itself. */
const OPTIONAL = ['bufferutil', 'utf-8-validate']

const files = (compiled, entries, ending) => Object.fromEntries(Object.entries(entries).map(([name, path]) => [name, join(compiled, `${path}${ending}`)]))

/** Anything that rolldown is not sure of would be a fault at somebody's. */
function onLog(level, log) {
  // hdr-histogram asks for Node's zlib by eval, and brings its own.
  if (level === 'warn' && !(log.code === 'EVAL' && log.message.includes('hdr-histogram-js'))) throw new Error(log.message)
}

async function write(options, output) {
  const build = await rolldown({ platform: 'node', onLog, ...options })
  try {
    const written = await build.write({ format: 'esm', chunkFileNames: '[name].js', ...output })
    return written.output.filter((one) => one.type === 'chunk')
  } finally {
    await build.close()
  }
}

/** All files that the one at `path` imports, with itself. */
function closure(path, found = new Set()) {
  if (found.has(path)) return found
  found.add(path)
  for (const [, imported] of readFileSync(path, 'utf8').matchAll(/^(?:im|ex)port .*from "(\..*)";$/gm)) closure(join(dirname(path), imported), found)
  return found
}

/** Bundle what tsc made of src/ in `compiled` into `folder`. Gives the paths of the modules, and the files that have effects. */
export async function bundle(compiled, folder) {
  const runtime = new Set(COMMON.flatMap((name) => [...closure(join(compiled, 'runtime', `${name}.js`))]))
  const rest = (id) => id.startsWith(join(compiled, 'runtime')) || id === join(compiled, 'hosts/virtual.js')
  const chunks = await write({
    cwd: compiled,
    input: files(compiled, { ...ENTRIES, ...STARTED }, '.js'),
    external: [...PEERS, ...OPTIONAL],
  }, {
    dir: folder,
    // What is there to be read is in the declarations.
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
