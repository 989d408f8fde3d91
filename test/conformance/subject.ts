// Our side: runs a program's TypeScript (it is plain JavaScript) with a runtime module, on a virtual clock.
import { Boom, Support } from './support.ts'
import type { RuntimeModule } from './runtime.ts'
import type { Trace } from './oracle.ts'

/**
 * Ticks of 10 ms after which a program counts as hanging; none needs even a hundredth of it. Ticks are counted because a
 * machine that stops for seconds lets only one of them pass.
 */
const PATIENCE = 500

export interface OurProgram {
  source: string
  left: string[]
}

interface Compiled {
  main(): unknown
  left(): [string, unknown][]
}

/** Runs one program. If it really hangs, its trace shows that, since no program of CPython's does. */
export async function runOurs(runtime: RuntimeModule, { source, left }: OurProgram): Promise<Trace> {
  const support = new Support(runtime)
  const { start, at, log, look, since, plain, names, sets, twice, bytes } = support
  const given: Record<string, unknown> = { ...runtime, Boom, start, at, log, look, since, plain, names, sets, twice, bytes }
  const text = `'use strict'\n${source}\nreturn { main, left: () => [${left.map((name) => `['${name}', ${name}]`).join(', ')}] }`
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- the programs are our own generator's
  const compiled = new Function(...Object.keys(given), text) as (...given: unknown[]) => Compiled
  const program = compiled(...Object.values(given))

  let timer: NodeJS.Timeout | undefined
  const hung = new Promise<null>((resolve) => {
    let ticks = 0
    timer = setInterval(() => ++ticks >= PATIENCE && resolve(null), 10)
  })
  // It does not keep the process alive: the timer does, and a loop that hangs must not.
  const loopFactory = (): unknown => new runtime.EventLoop({ clock: new runtime.VirtualClock(), hold: false })
  const ran = runtime.run(program.main(), { loopFactory }).then(
    (value) => `main returned ${support.show(value)}`,
    (error: unknown) => `main raised ${support.error(error)}`,
  )
  const outcome = await Promise.race([ran, hung])
  clearInterval(timer)
  if (outcome === null) return { lines: [...support.lines, 'the program hangs'], ended: true }
  if (support.ended) support.finish(outcome, program.left())
  return { lines: support.lines, ended: support.ended }
}
