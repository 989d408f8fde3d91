// The program's modules as the browser loads them: each has an address that only this thread knows, with the addresses of
// its imports filled in. `sourceURL` gives them readable names in stacks.
import type { CompiledModule } from '../messages.ts'

/** Where the modules made here find what they export. */
export const API = Symbol.for('loopscope.playground')
/** The module of the functions whose calls the compiler puts into the program. */
export const HOOKS = 'loopscope:hooks'

/**
 * The address of the module called `entry`; throws an Error if an imported module does not exist. `api` contains the exports
 * of each module that is not compiled, by its specifier.
 */
export function publish(modules: readonly CompiledModule[], entry: string, api: Record<string, object>): string {
  Object.defineProperty(globalThis, API, { value: api })
  const addresses = new Map(Object.entries(api).map(([specifier, exported]) => {
    const names = Object.keys(exported).filter((name) => name !== 'default')
    return [specifier, addressOf(`export const { ${names.join(', ')} } = globalThis[Symbol.for('loopscope.playground')]['${specifier}']`)]
  }))
  const byName = new Map(modules.map((module) => [module.name, module]))

  const address = (name: string, from: readonly string[]): string => {
    const known = addresses.get(name)
    if (known !== undefined) return known
    const module = byName.get(name)
    if (module === undefined) throw new Error(`there is no module '${from.length === 0 || !name.endsWith('.ts') ? name : `./${name}`}' here`)
    if (from.includes(name)) throw new Error(`${name} imports itself`)
    let code = ''
    let at = 0
    for (const { specifier, start, end } of module.imports) {
      code += module.code.slice(at, start) + address(nameOf(specifier), [...from, name])
      at = end
    }
    const made = addressOf(`${code}${module.code.slice(at)}\n//# sourceURL=${name}`)
    addresses.set(name, made)
    return made
  }
  return address(entry, [])
}

/** TypeScript writes `./pace.js` for `./pace.ts`. */
function nameOf(specifier: string): string {
  return specifier.startsWith('./') ? specifier.slice(2).replace(/\.js$/, '.ts') : specifier
}

function addressOf(code: string): string {
  return URL.createObjectURL(new Blob([code], { type: 'text/javascript' }))
}
