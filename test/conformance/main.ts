// `npm run conformance`: compares random programs on loopscope with the same programs on CPython's asyncio. Ends with code 1
// if one runs differently, 2 for invalid options.
import { compare, differs, runOne, runTheirs } from './compare.ts'
import type { Outcome } from './compare.ts'
import { USAGE, readOptions } from './options.ts'
import type { Options } from './options.ts'
import { loadOracle } from './oracle.ts'
import type { Trace } from './oracle.ts'
import { report } from './report.ts'
import { loadRuntime } from './runtime.ts'
import type { RuntimeModule } from './runtime.ts'
import { shrink } from './shrink.ts'

function refuse(error: unknown): never {
  console.error(`${(error instanceof Error ? error.message : String(error)).split('\n')[0]} (${USAGE})`)
  process.exit(2)
}

async function main({ programs, seed, start, most }: Options, runtime: RuntimeModule): Promise<boolean> {
  const oracle = await loadOracle()
  const began = performance.now()
  let shown = -Infinity
  const progress = (done: number, { mismatches }: Outcome): void => {
    if (performance.now() - shown < 500 && done < programs) return
    shown = performance.now()
    const rate = Math.round(done / (shown - began) * 1000)
    process.stderr.write(`\r${done} of ${programs} programs, ${rate} a second, ${mismatches.length} mismatches `)
  }
  const outcome = await compare({ oracle, runtime, seed, start, programs, most, progress })
  const seconds = (performance.now() - began) / 1000
  process.stderr.write('\n')
  console.log(outcome.coverage.toString())
  for (const mismatch of outcome.mismatches) {
    process.stderr.write(`making program ${mismatch.index} smaller ...\n`)
    const program = await shrink(mismatch.program, differs(oracle, runtime))
    const [theirs] = runTheirs(oracle, [program])
    console.log(`\n${report({ seed, index: mismatch.index, program, ours: await runOne(runtime, program), theirs: theirs as Trace })}`)
  }
  console.log(
    `\n${outcome.compared} programs of seed ${seed} against CPython ${oracle.version}: ${outcome.lines} lines compared, `
    + `${outcome.givenUp} programs given up since they never end, ${outcome.mismatches.length} mismatches, `
    + `${Math.round(outcome.compared / seconds)} programs a second`,
  )
  return outcome.mismatches.length === 0
}

let options: Options
let runtime: RuntimeModule
try {
  options = readOptions(process.argv.slice(2))
  runtime = await loadRuntime(options.runtime)
} catch (error) {
  refuse(error)
}
process.exitCode = await main(options, runtime) ? 0 : 1
