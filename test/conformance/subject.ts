// Our side: runs a program's TypeScript (it is plain JavaScript) against a runtime module, on a virtual clock.
import { Boom, Support } from './support.ts'
import type { RuntimeModule } from './runtime.ts'
import type { Trace } from './oracle.ts'

/** Milliseconds of real time after which a program is held to hang. None needs even a hundredth of it. */
const PATIENCE = 5000

export interface OurProgram {
  source: string
  left: string[]
}

interface Compiled {
  main(): unknown
  left(): [string, unknown][]
}

/** Runs one program. A program that hangs for real says so in its trace, since no program of CPython's does. */
export async function runOurs(runtime: RuntimeModule, { source, left }: OurProgram): Promise<Trace> {
  let giveUp = (): void => undefined
  const givenUp = new Promise<'given up'>((resolve) => giveUp = () => resolve('given up'))
  const support = new Support(runtime, giveUp)
  const { start, at, log, look, since, plain, names, sets } = support
  const given: Record<string, unknown> = { ...runtime, Boom, start, at, log, look, since, plain, names, sets }
  const text = `'use strict'\n${source}\nreturn { main, left: () => [${left.map((name) => `['${name}', ${name}]`).join(', ')}] }`
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- the programs are our own generator's
  const compiled = new Function(...Object.keys(given), text)(...Object.values(given)) as Compiled

  let timer: NodeJS.Timeout | undefined
  const hung = new Promise<'hung'>((resolve) => timer = setTimeout(() => resolve('hung'), PATIENCE))
  const ran = runtime.run(compiled.main(), { clock: new runtime.VirtualClock() }).then(
    (value) => ({ outcome: `main returned ${support.show(value)}` }),
    (error: unknown) => ({ outcome: `main raised ${support.error(error)}` }),
  )
  const ended = await Promise.race([ran, givenUp, hung])
  clearTimeout(timer)
  if (ended === 'given up') return { lines: support.lines, ended: false }
  if (ended === 'hung') return { lines: [...support.lines, 'the program hangs'], ended: true }
  support.finish(ended.outcome, compiled.left())
  return { lines: support.lines, ended: true }
}
