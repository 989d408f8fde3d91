// The proof of the order, as far as it fits into a test run: random programs on our loop and on CPython's, line by line. `npm
// run conformance -- --programs 20000` goes further. The same comparison must find a broken runtime.
import { join } from 'node:path'
import t from 'tap'
import { BREAKS, breakRuntime } from './conformance/breaks.ts'
import { compare, differs, runOne, runTheirs } from './conformance/compare.ts'
import type { Mismatch } from './conformance/compare.ts'
import { generate } from './conformance/generate.ts'
import { readOptions } from './conformance/options.ts'
import { loadOracle } from './conformance/oracle.ts'
import type { Oracle, Trace } from './conformance/oracle.ts'
import { report } from './conformance/report.ts'
import { loadRuntime } from './conformance/runtime.ts'
import type { RuntimeModule } from './conformance/runtime.ts'
import { shrink, size } from './conformance/shrink.ts'
import { REQUIRED } from './conformance/required.ts'
import { runCommand } from './support/command.ts'

const SEED = 8
/** Every break must be found within this many programs of that seed; the comparison ends at the first mismatch. */
const MOST_TO_BREAK = 8000
const PROGRAMS = 600
const MORE = 100

/** An oracle that runs each program once: the broken runtimes are compared with existing traces. */
function remembering(oracle: Oracle): Oracle {
  const known = new Map<string, Trace>()
  return {
    version: oracle.version,
    run(programs) {
      const unknown = programs.filter(({ source }) => !known.has(source))
      for (const [i, trace] of oracle.run(unknown).entries()) known.set(unknown[i]?.source ?? '', trace)
      return programs.map(({ source }) => known.get(source) as Trace)
    },
  }
}

async function explain(oracle: Oracle, runtime: RuntimeModule, seed: number, mismatches: Mismatch[]): Promise<string> {
  const [first] = mismatches
  if (first === undefined) return ''
  const program = await shrink(first.program, differs(oracle, runtime))
  const [theirs] = runTheirs(oracle, [program])
  return report({ seed, index: first.index, program, ours: await runOne(runtime, program), theirs: theirs as Trace })
}

const brokenHere = await breakRuntime(BREAKS[0] as (typeof BREAKS)[0], join(t.testdir(), 'src'))
const refused = runCommand('conformance/main.ts', '--programs', 'many')
const failed = runCommand('conformance/main.ts', '--programs', '5', '--runtime', brokenHere)
const oracle = remembering(await loadOracle())
const runtime = await loadRuntime()

void t.test('random programs', async (t) => {
  await t.test('the same number and seed give the same program', (t) => {
    t.same(generate(SEED, 7), generate(SEED, 7))
    t.not(JSON.stringify(generate(SEED, 7)), JSON.stringify(generate(SEED, 8)))
    t.end()
  })

  await t.test(`${PROGRAMS} programs of a fixed seed run as on CPython, and exercise everything they should`, async (t) => {
    const outcome = await compare({ oracle, runtime, seed: SEED, start: 0, programs: PROGRAMS })
    t.equal(await explain(oracle, runtime, SEED, outcome.mismatches), '')
    t.ok(outcome.givenUp < PROGRAMS / 20, `few programs never end: ${outcome.givenUp}`)
    t.same(REQUIRED.filter((name) => outcome.coverage.ended(name) === 0), [], 'nothing stands in programs only')
  })

  await t.test(`${MORE} programs of a new random seed run as on CPython`, async (t) => {
    const given = process.env['CONFORMANCE_SEED']
    const { seed } = readOptions(given === undefined ? ['--seed', String(Math.floor(Math.random() * 2 ** 31))] : ['--seed', given])
    t.comment(`seed ${seed}: CONFORMANCE_SEED=${seed} repeats it`)
    const outcome = await compare({ oracle, runtime, seed, start: 0, programs: MORE })
    t.equal(await explain(oracle, runtime, seed, outcome.mismatches), '')
  })
})

void t.test('a broken runtime is detected', async (t) => {
  for (const broken of BREAKS) {
    await t.test(broken.title, async (t) => {
      const copy = await loadRuntime(await breakRuntime(broken, join(t.testdir(), 'src')))
      const { mismatches, compared } = await compare({ oracle, runtime: copy, seed: SEED, start: 0, programs: MOST_TO_BREAK })
      t.equal(mismatches.length, 1, `found at program ${compared} of at most ${MOST_TO_BREAK}`)
    })
  }
})

void t.test('a mismatch', async (t) => {
  // This breaks a delay, not the order: it is easy to locate, so the rest of the program can be checked.
  const { sleep } = runtime as unknown as { sleep: (seconds: number, value?: unknown) => unknown }
  const slow = { ...runtime, sleep: (seconds: number, value?: unknown) => sleep(seconds === 0.125 ? 0.25 : seconds, value) } as RuntimeModule

  await t.test('is made small, and shown in both languages with a way to repeat it', async (t) => {
    const { mismatches } = await compare({ oracle, runtime: slow, seed: SEED, start: 0, programs: PROGRAMS, most: 3 })
    const [first] = mismatches
    if (first === undefined) return t.fail('there is no mismatch to make small')
    const sizes: number[] = []
    for (const { program } of mismatches) {
      const small = await shrink(program, differs(oracle, slow))
      t.ok(size(small) < size(program) / 3, `from ${size(program)} parts to ${size(small)}`)
      sizes.push(size(small))
    }
    t.ok(Math.min(...sizes) <= 3, `at best to little more than main and one sleep: ${sizes.join(', ')}`)
    const shown = await explain(oracle, slow, SEED, mismatches)
    for (const part of ['yield* sleep(0.125', 'await asyncio.sleep(0.125', `--seed ${SEED} --start ${first.index} --programs 1`]) {
      t.ok(shown.includes(part), part)
    }
    t.match(shown, /^> /m, 'the first line that differs is marked')
  })

  await t.test('ends the command with code 1', async (t) => {
    const { code, stdout } = await failed
    t.equal(code, 1)
    t.match(stdout, /To get it again: npm run conformance -- --seed 1 --start \d+ --programs 1/)
  })
})

void t.test('invalid options', async (t) => {
  await t.test('end the command with code 2 and one line', async (t) => {
    const { code, stderr, stdout } = await refused
    t.equal(code, 2)
    t.equal(stdout, '')
    t.match(stderr, /^--programs must be a whole number from 1 to 2147483647, got 'many'.*\n$/)
  })

  await t.test('are each refused', (t) => {
    for (const args of [['--programs', '0'], ['--seed', '-1'], ['--seed', '1.5'], ['--start', ''], ['--most', '99999999999'], ['--colour', '1'], ['word']]) {
      t.throws(() => readOptions(args), args.join(' '))
    }
    t.equal(readOptions(['--seed', '5', '--programs', '20']).programs, 20)
    t.end()
  })
})
