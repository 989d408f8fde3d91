// How a function is named across threads: by the module under a `workers/` folder that exports it, and its name there. Each
// thread loads that module for itself.
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
  for (const [name, value] of Object.entries(exports)) {
    if (value instanceof ContextVar) variables.push([name, value])
    if (typeof value === 'function' && !targets.has(value as Plain)) targets.set(value as Plain, { module, name })
  }
  modules.set(url, module)
  return module
}

/** Looks a function up. Rejects with a TypeError that says what to do, unless a module under `workers/` exports it. */
export async function findTarget(fn: Plain, caller: string): Promise<Target> {
  const url = moduleOf(fn)
  if (url === null || !isUnderWorkers(url)) {
    throw cannotCross(fn, caller, url === null ? 'it stands in no module' : 'its module is not under a workers/ folder')
  }
  await loadModule(url)
  const target = targets.get(fn)
  if (target === undefined) throw cannotCross(fn, caller, 'its module does not export it')
  return target
}

export function cannotCross(fn: Plain, caller: string, why: string): TypeError {
  return new TypeError(
    `${caller}: ${describe(fn)} cannot run on another thread, ${why}: a function cannot cross threads, so put it into ` +
      'a module under workers/, export it there, and pass the exported function',
  )
}

export function isUnderWorkers(url: string): boolean {
  return url.startsWith('file:') && url.includes('/workers/')
}

/** Loads every module under `workers/` that this thread already uses, so that it can be used without waiting. */
export async function loadNeighbours(): Promise<void> {
  const urls = loadedModules().filter((url) => isUnderWorkers(url) && !url.includes('/node_modules/') && !modules.has(url))
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
