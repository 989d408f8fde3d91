// How a function is named across threads: by the module that exports it, and its name there. Each thread loads that module for
// itself. That is safe for modules in a `workers/` folder, and for those that a program names with `workerFunction`.
import { realpathSync } from 'node:fs'
import module from 'node:module'
import { isAbsolute } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { ContextVar } from '../runtime/context.ts'
import { describe } from '../runtime/describe.ts'
import { loadedModules, moduleOf } from './inspector.ts'

export type Plain = (...args: never[]) => unknown

/** A module as one thread has it. */
export interface LoadedModule {
  readonly url: string
  readonly exports: Readonly<Record<string, unknown>>
  /** The context variables it exports, which are sent with every call of its functions. */
  readonly variables: readonly (readonly [name: string, variable: ContextVar<unknown>])[]
}

/** A function that other threads can call. */
export interface Target {
  readonly module: LoadedModule
  /** Its name among the module's exports. */
  readonly name: string
}

const modules = new Map<string, LoadedModule>()
const loading = new Map<string, Promise<LoadedModule>>()
const targets = new WeakMap<Plain, Target>()
/** The modules of the functions that `workerFunction` was given. */
const declared = new WeakMap<Plain, string>()
const declaredModules = new Set<string>()

/** A module that has not finished loading after this many ms may wait for the very call. */
const LONGEST_LOAD_MS = 10_000

/** The target of a function that was looked up before. */
export function knownTarget(fn: Plain): Target | undefined {
  return targets.get(fn)
}

/** A module that `loadModule` has loaded before. */
export function knownModule(url: string): LoadedModule | undefined {
  return modules.get(url)
}

export function knownModules(): Iterable<LoadedModule> {
  return modules.values()
}

/** Loads a module on this thread, or returns it if it is loaded. */
export function loadModule(url: string): Promise<LoadedModule> {
  let promise = loading.get(url)
  if (promise === undefined) {
    promise = importModule(url)
    loading.set(url, promise)
    promise.catch(() => loading.delete(url))
  }
  return promise
}

async function importModule(url: string): Promise<LoadedModule> {
  const exports = (await import(url)) as Record<string, unknown>
  const variables: [string, ContextVar<unknown>][] = []
  const module: LoadedModule = { url, exports, variables }
  for (const [name, value] of Object.entries(exports)) if (value instanceof ContextVar) variables.push([name, value])
  for (const [name, value] of [...Object.entries(exports), ...required(url)]) {
    if (typeof value === 'function' && !targets.has(value as Plain)) targets.set(value as Plain, { module, name })
  }
  modules.set(url, module)
  return module
}

/**
 * Returns `fn`, which worker threads may then call: for a function of a module that is not in a `workers/` folder. Each thread loads
 * that module, with all that it does when it is loaded: it must start nothing. `module` is the `import.meta` of the module that
 * exports `fn`, or in CommonJS its `__filename`. Throws a TypeError for anything else, and for the module that the program begins
 * with: a thread would run the program again. That the module exports `fn` is checked at the first call.
 */
export function workerFunction<F extends (...args: never[]) => unknown>(module: { readonly url: string } | string, fn: F): F {
  if (typeof fn !== 'function') throw new TypeError(`workerFunction: a function is needed, got ${describe(fn)}`)
  const given: unknown = typeof module === 'object' && module !== null ? module.url : module
  const url = typeof given === 'string' && isAbsolute(given) ? pathToFileURL(given).href : given
  if (typeof url !== 'string' || !url.startsWith('file:')) {
    throw new TypeError(`workerFunction: takes import.meta of a module in a file, or __filename in CommonJS, and the function; got ${describe(given)}`)
  }
  if (url.replace(/[?#].*$/, '') === entryUrl()) {
    throw new TypeError(
      `workerFunction: ${url} is what the program begins with, and each thread would run it again: put ${describe(fn)} into another module` +
        ' (of a bundle: into an entry of its own)',
    )
  }
  declared.set(fn, url)
  declaredModules.add(url)
  return fn
}

/** The module that this process begins with; '' without one. */
function entryUrl(): string {
  try {
    return pathToFileURL(realpathSync(process.argv[1] ?? '')).href
  } catch {
    return ''
  }
}

/** What this thread got from `require()` of a CommonJS module: Node 22 makes another instance for `import()` if it is in TypeScript. */
function required(url: string): [string, unknown][] {
  if (!url.startsWith('file:')) return []
  const exports: unknown = module.createRequire(url).cache[fileURLToPath(url)]?.exports
  return typeof exports === 'object' && exports !== null ? Object.entries(exports) : []
}

/** Looks a function up. Rejects with a TypeError that says what to do, unless a module that threads may load exports it. */
export async function findTarget(fn: Plain, caller: string): Promise<Target> {
  const url = declared.get(fn) ?? moduleOf(fn)
  if (url === null || !mayLoad(url)) {
    throw cannotCross(fn, caller, url === null ? 'it is in no module' : 'its module is not under a workers/ folder')
  }
  await loadedInTime(url, fn, caller)
  const target = targets.get(fn)
  if (target === undefined) throw cannotCross(fn, caller, `its module ${url} does not export it`)
  return target
}

/** Loads the module. Rejects if it waits for something at its top level, which may be this call. */
async function loadedInTime(url: string, fn: Plain, caller: string): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(cannotCross(fn, caller, `its module ${url} has not finished loading after ${LONGEST_LOAD_MS / 1000} s, because it awaits something at its top level`)), LONGEST_LOAD_MS)
  })
  try {
    await Promise.race([loadModule(url), late])
  } finally {
    clearTimeout(timer)
  }
}

export function cannotCross(fn: Plain, caller: string, why: string): TypeError {
  return new TypeError(
    `${caller}: ${describe(fn)} cannot run on another thread, ${why}: a function cannot cross threads, so put it into ` +
      'a module under workers/, export it there, and pass the exported function; or name the module that exports it: workerFunction(import.meta, fn)',
  )
}

function mayLoad(url: string): boolean {
  return isUnderWorkers(url) || declaredModules.has(url)
}

function isUnderWorkers(url: string): boolean {
  return url.startsWith('file:') && url.includes('/workers/')
}

/** Loads every module that this thread already uses and that threads may load, so that it can be used without waiting. */
export async function loadNeighbours(): Promise<void> {
  const urls = loadedModules().filter((url) => mayLoad(url) && !url.includes('/node_modules/') && !modules.has(url))
  await Promise.allSettled(urls.map(loadModule))
}

/** What is sent to call a target. */
export type Address = readonly [url: string, name: string]

export function addressOf(target: Target): Address {
  return [target.module.url, target.name]
}

/** The function at an address, in a loaded module. */
export function functionAt(module: LoadedModule, name: string): Plain {
  // On one thread a loader may find the names of a CommonJS module, and on another only the object that contains them.
  const whole = module.exports['default'] as Readonly<Record<string, unknown>> | null | undefined
  const fn = module.exports[name] ?? whole?.[name]
  if (typeof fn !== 'function') throw new TypeError(`${module.url} exports no function ${name} on this thread`)
  return fn as Plain
}
