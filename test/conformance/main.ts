// `npm run conformance`: compares random programs on loopscope with the same programs on CPython's asyncio.
import { parseArgs } from 'node:util'
import { compare, differs, runOne, runTheirs } from './compare.ts'
import { loadOracle } from './oracle.ts'
import type { Trace } from './oracle.ts'
import { report } from './report.ts'
import { OURS, loadRuntime } from './runtime.ts'
import { shrink } from './shrink.ts'

const USAGE = 'usage: npm run conformance -- [--programs N] [--seed S] [--start I] [--most M] [--runtime FILE]'

interface Options {
  programs: number
  seed: number
  start: number
  most: number
  runtime: string
}

/** Reads the command line; a wrong value ends the process with one line and code 2. */
function options(args: string[]): Options {
  try {
    const { values } = parseArgs({
      args,
      options: {
        programs: { type: 'string', default: '1000' }, seed: { type: 'string', default: '1' }, start: { type: 'string', default: '0' },
        most: { type: 'string', default: '1' }, runtime: { type: 'string', default: OURS },
      },
    })
    const whole = (name: 'programs' | 'seed' | 'start' | 'most', least: number): number => {
      const value = Number(values[name])
      if (!/^\d+$/.test(values[name]) || !Number.isSafeInteger(value) || value < least || value > 2 ** 31 - 1) {
        throw new RangeError(`--${name} is a whole number from ${least} to ${2 ** 31 - 1}, not '${values[name]}'`)
      }
      return value
    }
    return { programs: whole('programs', 1), seed: whole('seed', 0), start: whole('start', 0), most: whole('most', 1), runtime: values.runtime }
  } catch (error) {
    console.error(`${error instanceof Error ? error.message.split('\n')[0] : String(error)} (${USAGE})`)
    process.exit(2)
  }
}

async function main(): Promise<void> {
  const { programs, seed, start, most, runtime: where } = options(process.argv.slice(2))
  const runtime = await loadRuntime(where).catch((error: unknown) => {
    console.error(`--runtime cannot be loaded: ${error instanceof Error ? error.message.split('\n')[0] : String(error)} (${USAGE})`)
    process.exit(2)
  })
  const oracle = await loadOracle()
  const began = performance.now()
  let shown = 0
  const outcome = await compare({
    oracle, runtime, seed, start, programs, most,
    progress: (done, { mismatches }) => {
      if (performance.now() - shown < 1000 && done < programs) return
      shown = performance.now()
      process.stderr.write(`\r${done} of ${programs} programs, ${Math.round(done / (performance.now() - began) * 1000)} a second, ${mismatches.length} mismatches`)
    },
  })
  process.stderr.write('\n')
  const seconds = (performance.now() - began) / 1000
  console.log(outcome.coverage.toString())
  for (const mismatch of outcome.mismatches) {
    process.stderr.write('making the program smaller ...\n')
    const program = await shrink(mismatch.program, differs(oracle, runtime))
    const [theirs] = runTheirs(oracle, [program])
    console.log(`\n${report({ seed, index: mismatch.index, program, ours: await runOne(runtime, program), theirs: theirs as Trace })}`)
  }
  console.log(
    `\n${outcome.compared} programs against CPython ${oracle.version}, ${outcome.lines} lines compared, ${outcome.givenUp} given up on both sides, `
    + `${outcome.mismatches.length} mismatches, ${Math.round(outcome.compared / seconds)} programs a second (seed ${seed})`,
  )
  // A program that hangs keeps its loop, and so the process, alive.
  process.exit(outcome.mismatches.length > 0 ? 1 : 0)
}

await main()
