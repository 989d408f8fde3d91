// The reporter in tools/tap-count.mjs: what its closing lines count, and that the exit code agrees with them, by running tap
// itself over small projects made for the purpose.
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import t from 'tap'
// @ts-expect-error a plain module without declarations
import TapCountUntyped from '../tools/tap-count.mjs'

const TapCount = TapCountUntyped as new () => NodeJS.ReadWriteStream
const root = new URL('..', import.meta.url)
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8')

/** Passes lines through the reporter as tap would, in chunks that do not end where lines do; returns what it adds. */
async function closing(...lines: string[]): Promise<string> {
  const tap = lines.join('\n') + '\n'
  const chunks = tap.match(/[^]{1,7}/g) ?? []
  const out = await text(Readable.from(chunks).pipe(new TapCount()))
  if (!out.startsWith(tap)) throw new Error('the reporter changed what it passes on')
  return out.slice(tap.length).trim()
}

/** Runs tap with the project's own settings over `files`, in a separate folder. */
function runTap(dir: string, env: Record<string, string>): Promise<{ code: number; last: string; out: string }> {
  const inherited = Object.entries(process.env).filter(([name]) => !/^(_?TAP|NODE_OPTIONS$|CI$)/.test(name))
  const bin = new URL('node_modules/tap/dist/esm/run.mjs', root).pathname
  return new Promise((resolve) => {
    execFile(process.execPath, [bin], { cwd: dir, env: { ...Object.fromEntries(inherited), ...env } }, (error, out) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, last: out.trimEnd().split('\n').at(-1) ?? '', out })
    })
  })
}

const project = (files: Record<string, string>) => ({
  'package.json': '{ "name": "made-up", "type": "module" }',
  '.taprc': read('.taprc'),
  'tsconfig.json': read('tsconfig.json'), 'tsconfig.build.json': read('tsconfig.build.json'),
  tools: Object.fromEntries(['tap-count', 'ts', 'ts-hooks', 'build'].map((name) => [`${name}.mjs`, read(`tools/${name}.mjs`)])),
  test: files,
})

const PASSING = `
import t from 'tap'
const one: number = 1
t.test('adds', async t => { t.equal(one + 1, 2) })
t.test('holds', async t => { t.ok(one) })
`
const SKIPPING = PASSING + "t.test('clicks', { skip: 'no browser' }, async t => { t.fail() })\n"
const FAILING = PASSING + "t.test('is wrong', async t => { t.equal(one, 2) })\n"
const CRASHING = PASSING + 't.teardown(() => { process.exit(3) })\n'

t.test('tap ends with an exit code and a closing line that agree', async (t) => {
  const folder = t.testdir({
    skip: project({ 'a.test.ts': SKIPPING }),
    fail: project({ 'a.test.ts': FAILING, 'b.test.ts': CRASHING }),
  })
  const [skip, fail] = await Promise.all([runTap(`${folder}/skip`, {}), runTap(`${folder}/fail`, { CI: 'true' })])

  await t.test('0 when all that ran passed; a local skip is named and does no harm', async (t) => {
    t.same([skip.code, skip.last], [0, '2 passed, 0 failed'])
    t.match(skip.out, 'skipped: clicks # SKIP no browser\n1 skipped\n')
  })
  await t.test('1 when an assertion fails and when a file dies after its tests', async (t) => {
    t.same([fail.code, fail.last], [1, '4 passed, 2 failed'])
    const again = fail.out.slice(fail.out.lastIndexOf('\n# time='))
    t.match(again, /\nfailed: test\/a\.test\.ts > is wrong > should be equal\n[^]*\n {4}-2\n {4}\+1\n/, 'what, and expected and actual')
    t.match(again, /\nfailed: test\/b\.test\.ts [^]*\n {2}exitCode: 3\n/, 'the file that died, and how')
  })
})

t.test('the closing lines', async (t) => {
  const ci = process.env['CI']
  t.teardown(() => {
    if (ci === undefined) delete process.env['CI']
    else process.env['CI'] = ci
  })
  delete process.env['CI']

  await t.test('count a file\'s subtests, not what is inside them', async (t) => {
    t.equal(
      await closing('# Subtest: f', '    ok 1 - a', '    # Subtest: b', '        ok 1 - inner', '        not ok 2 - inner', '    not ok 2 - b', 'not ok 1 - f'),
      'failed: f > b > inner\n\n1 passed, 1 failed',
    )
  })
  await t.test('count a file that failed without a failed subtest as one failure', async (t) => {
    t.equal(await closing('    ok 1 - a', 'not ok 1 - f', '    ok 1 - b', 'ok 2 - g'), 'failed: f\n\n2 passed, 1 failed')
  })
  await t.test('name what was skipped inside a subtest, and a file without tests', async (t) => {
    t.equal(
      await closing('        ok 1 - inner # SKIP later', '    ok 1 - a', 'ok 1 - f', 'ok 2 - g # SKIP no tests found'),
      'skipped: inner # SKIP later\nskipped: g # SKIP no tests found\n2 skipped\n\n1 passed, 0 failed',
    )
  })
  await t.test('count a skipped test as a failure under CI=true, which ends with 1', async (t) => {
    process.env['CI'] = 'true'
    const before = process.exitCode
    const lines = await closing('    ok 1 - a # SKIP no browser', '    ok 2 - b', 'ok 1 - f')
    const code = process.exitCode
    process.exitCode = before
    delete process.env['CI']
    t.same([lines, code], ['skipped: a # SKIP no browser\nCI=true: nothing may be skipped\n1 skipped\n\n1 passed, 1 failed', 1])
  })
  await t.test('ignore result lines quoted in a diagnostic', async (t) => {
    t.equal(
      await closing('# Subtest: f', '    not ok 1 - a', '      ---', '    ok 7 - quoted', '      ...', '    ok 2 - b', 'not ok 1 - f'),
      'failed: f > a\nok 7 - quoted\n\n1 passed, 1 failed',
    )
  })
  await t.test('count a bail-out as a failure', async (t) => {
    t.equal(await closing('    ok 1 - a', 'Bail out! no disk'), 'failed: Bail out! no disk\n\n1 passed, 1 failed')
  })
  await t.test('repeat what failed: the innermost test, where it is, and its diagnostic', async (t) => {
    t.equal(
      await closing(
        '# Subtest: f', '    # Subtest: a', '        # Subtest: inner', '            not ok 1 - is two', '              ---', '              diff: 1', '              ...',
        '        not ok 1 - inner', '          ---', '          at: 3', '          ...', '        not ok 2 - is three', '    not ok 1 - a',
        '    # Subtest: b', '        ok 1 - is one', '    not ok 2 - b # time=5ms', '    # Subtest: c', '    ok 3 - c', 'not ok 1 - f',
      ),
      'failed: f > a > inner > is two\n  diff: 1\n\nfailed: f > a > is three\n\nfailed: f > b # time=5ms\n\n1 passed, 2 failed',
    )
  })
  await t.test('report if that is too much', async (t) => {
    const long = Array.from({ length: 70 }, (_, at) => `      line ${at}`)
    const out = await closing('# Subtest: f', ...Array.from({ length: 12 }, (_, at) => [`    not ok ${at + 1} - t${at}`, '      ---', ...long, '      ...']).flat(), 'not ok 1 - f')
    t.equal(out.match(/^failed: /gm)?.length, 10)
    t.equal(out.match(/^ {2}\(10 lines more above\)$/gm)?.length, 10)
    t.match(out, /\n2 more failed, told of above\n\n0 passed, 12 failed$/)
  })
})
