// Python programs beside their translations: runs both in virtual time, and compares what they print and when.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as loopscope from '../../src/index.ts'
import { defaultHost, setDefaultHost, type Host } from '../../src/runtime/host.ts'
import { compilerFiles } from '../../ui/playground/build/plugin.ts'
import { Service, type Diagnostic } from '../../ui/playground/compiler/service.ts'
import type { CompiledModule } from '../../ui/playground/messages.ts'
import { HOOKS } from '../../ui/playground/thread/modules.ts'
import { translate, type Translation } from '../../ui/playground/translate/translate.ts'
import type { Module } from '../../ui/playground/translate/tree.ts'
import { startPython } from './pyodide.ts'

const ROOT = join(import.meta.dirname, '../..')
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8')

/** Milliseconds of the machine's time that a program may take. */
const PATIENCE = 10_000

export interface Ran {
  /** Each line with the seconds at which it was printed. */
  lines: [seconds: number, line: string][]
  /** The error that ended it; '' if none did. */
  ending: string
}

export interface Python {
  run(source: string): Ran
  translate(source: string): Translation
}

/** CPython with the virtual loop, and the tree that the translation reads. */
export async function loadPython(): Promise<Python> {
  const python = await startPython()
  for (const file of ['test/conformance/virtualloop.py', 'test/conformance/oracle.py', 'test/support/virtual-program.py', 'ui/playground/python/tree.py']) {
    python.runPython(read(file), { filename: file })
  }
  const globals = python.globals as unknown as { get(name: string): (source: string) => string }
  const [runProgram, treeOf] = [globals.get('run_program'), globals.get('tree_of')]
  return {
    run: (source) => {
      const [lines, ending] = JSON.parse(runProgram(source)) as [Ran['lines'], string]
      return { lines, ending }
    },
    translate: (source) => translate(JSON.parse(treeOf(source)) as Module),
  }
}

/** The modules that translated programs import, as the playground has them. */
function modules(): [string, string][] {
  const adapted = (path: string): string => read(path).replace(/'(\.\.\/)+src\/(index|browser)\.ts'/, "'loopscope'")
  return [
    ['/pace.ts', adapted('examples/pace.ts')],
    ['/python.ts', adapted('ui/playground/translate/modules/python.ts')],
    ['/random.ts', adapted('ui/playground/translate/modules/random.ts')],
  ]
}

let service: Service | undefined

export interface Checked {
  errors: Diagnostic[]
  modules: CompiledModule[]
}

/** Checks a program as the playground does, and compiles it. */
export function check(code: string): Checked {
  service ??= new Service(new Map([...Object.entries(compilerFiles()), ...modules()]))
  service.update(code)
  const { modules: compiled, diagnostics } = service.compile()
  return { errors: diagnostics.filter(({ severity }) => severity === 'error'), modules: compiled }
}

let loads = 0

/** Runs a compiled program on the runtime, on a virtual clock. */
export async function runTranslated(compiled: CompiledModule[]): Promise<Ran> {
  const lines: Ran['lines'] = []
  const host = defaultHost()
  class Collector extends loopscope.VirtualClock {
    override write(text: string): void {
      for (const line of text.split('\n')) lines.push([Math.round(this.now() * 1e6) / 1e6, line])
    }

    override report(): void {}
  }
  setDefaultHost(new Collector() as Host)
  let ending = ''
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('the program does not end')), PATIENCE)
  })
  try {
    const { main } = await Promise.race([load(compiled), late]) as { main?: () => loopscope.Coroutine<unknown> }
    if (main !== undefined) await Promise.race([loopscope.run(main()), late])
  } catch (error) {
    ending = ended(error)
  } finally {
    clearTimeout(timer)
    setDefaultHost(host)
  }
  return { lines, ending }
}

/** An error in Python's words. */
function ended(error: unknown): string {
  if (!(error instanceof Error)) return `thrown: ${String(error)}`
  const name = error.name === 'RangeError' ? 'ValueError' : error.name
  return error.message === '' ? name : `${name}: ${error.message}`
}

function load(compiled: CompiledModule[]): Promise<unknown> {
  const key = `loopscope.translated.${loads++}`
  const api: Record<string, object> = { loopscope, [HOOKS]: { held: () => {} } }
  Object.defineProperty(globalThis, Symbol.for(key), { value: api })
  const addresses = new Map(Object.entries(api).map(([name, exported]) => [name,
    addressOf(`export const { ${Object.keys(exported).filter((each) => each !== 'default').join(', ')} } = globalThis[Symbol.for('${key}')]['${name}']`)]))
  const link = (name: string): string => {
    const known = addresses.get(name)
    if (known !== undefined) return known
    const { code, imports } = compiled.find((module) => module.name === name) as CompiledModule
    let linked = ''
    let at = 0
    for (const { specifier, start, end } of imports) {
      linked += code.slice(at, start) + link(addresses.has(specifier) ? specifier : specifier.slice(2).replace(/\.js$/, '.ts'))
      at = end
    }
    const address = addressOf(`${linked}${code.slice(at)}\n//# sourceURL=${name}?${key}`)
    addresses.set(name, address)
    return address
  }
  return import(link('program.ts'))
}

function addressOf(code: string): string {
  return `data:text/javascript,${encodeURIComponent(code).replaceAll("'", '%27')}`
}
