// How parts of loopscope are started, as a thread or as a process. What begins with a file of ours inherits nothing that the
// program was started with: a preload that calls observe() would start an observer in the observer's own thread, without end;
// a tracer would trace it; and threads refuse some flags of processes.
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { WorkerOptions } from 'node:worker_threads'

/** The built file of ours at `path` (without its extension), relative to the caller's `import.meta.url`, which a bundle may not have. */
function find(path: string, base: string | undefined): URL | null {
  const url = base === undefined ? null : new URL(`${path}.js`, base)
  return url !== null && existsSync(url) ? url : null
}

/** Whether there is a file of ours at `path` (without its extension), relative to the caller's `import.meta.url`. */
export function hasOwnFile(path: string, base: string | undefined): boolean {
  return find(path, base) !== null
}

/** That file. Throws an Error if it is missing: then the caller has been bundled, and is in a folder of other files. */
export function ownFile(path: string, base: string | undefined): URL {
  const url = find(path, base)
  if (url !== null) return url
  throw new Error(
    `loopscope starts a thread or process with its own file ${path.replace(/^.*\//, '')}.js, which a bundle does not have. ` +
      'Leave the package out of the bundle and install it beside: mark loopscope as external, with esbuild --external:loopscope',
  )
}

/** The same as a path. */
export function ownPath(path: string, base: string | undefined): string {
  return fileURLToPath(ownFile(path, base))
}

/**
 * Options for a thread that begins with a file of ours. From the program it gets only its permissions, where packages are
 * found, and whether errors name the sources.
 */
export function ownThread(): Pick<WorkerOptions, 'execArgv' | 'env'> {
  return { execArgv: keep(process.execArgv, BOUNDS), env: ownEnvironment() }
}

/** The environment of what begins with a file of ours. */
export function ownEnvironment(): NodeJS.ProcessEnv {
  const { NODE_OPTIONS, ...env } = process.env
  const kept = keep(NODE_OPTIONS?.match(/(?:"(?:\\.|[^"\\])*"|[^\s"])+/g) ?? [], BOUNDS)
  return kept.length === 0 ? env : { ...env, NODE_OPTIONS: kept.join(' ') }
}

/**
 * Options for a thread that runs the program's own files: its loaders, which are its preloads. By default Node's options are
 * inherited, including those of V8, which cannot be passed explicitly. But a program from the command line (`node
 * --input-type=module -e`) has one that no thread accepts.
 */
export function programThread(): Pick<WorkerOptions, 'execArgv'> {
  return process.execArgv.some((option) => option.startsWith('--input-type')) ? { execArgv: keep(process.execArgv, LOADING) } : {}
}

/** The permission model; Yarn's table of packages, which the import of a package needs; source maps. */
const BOUNDS = /^--(permission|experimental-permission|allow-|enable-source-maps$)|\.pnp\.(cjs|loader\.mjs)"?$/
/** How modules are found and loaded. */
const LOADING = /^(-r|-C|--(import|require|loader|experimental-loader|conditions|enable-source-maps|experimental-(strip|transform)-types|preserve-symlinks|permission|experimental-permission|allow-))/

/** The options of this kind, each with its value, in the same argument or the next. */
function keep(options: readonly string[], kind: RegExp): string[] {
  const kept: string[] = []
  for (let at = 0; at < options.length; at++) {
    const option = options[at] as string
    const value = options[at + 1]
    const whole = value === undefined || value.startsWith('-') || option.includes('=') ? [option] : [option, value]
    if (whole.some((part) => kind.test(part))) kept.push(...whole)
    at += whole.length - 1
  }
  return kept
}
