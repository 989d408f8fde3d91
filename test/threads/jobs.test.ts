// The jobs under workers/, called on this thread and on a worker.
import t from 'tap'
import { createHash, scryptSync } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { closeThreads, run, toThread } from '../../src/index.ts'
import { blockingSleep } from '../../workers/blocking-sleep.ts'
import { hashPassword } from '../../workers/hash-password.ts'
import { readFile } from '../../workers/read-file.ts'
import { spin } from '../../workers/spin.ts'

t.after(() => closeThreads())

t.test('each file exports one job', async (t) => {
  const folder = new URL('../../workers/', import.meta.url)
  for (const file of readdirSync(folder)) {
    if (!file.endsWith('.ts') || file === 'checks.ts') continue
    const exports = Object.entries((await import(new URL(file, folder).href)) as object)
    t.equal(exports.length, 1, file)
    t.equal(exports[0]?.[0], file.replace(/\.ts$/, '').replace(/-(.)/g, (_, letter: string) => letter.toUpperCase()))
  }
})

t.test('spin takes at least the given time', (t) => run((function* () {
  const began = performance.now()
  t.ok(spin(5) > 0)
  t.ok(performance.now() - began >= 5)
  t.ok((yield* toThread(spin, 1)) > 0)
})()))

t.test('blockingSleep takes at least the given time', (t) => run((function* () {
  t.ok(blockingSleep(0.005) >= 0.005)
  t.ok((yield* toThread(blockingSleep, 0.005)) >= 0.005)
})()))

t.test('readFile returns size and checksum, also for two at once', (t) => run((function* () {
  const contents = Buffer.alloc(2 ** 20, 'loopscope ')
  const expected = { bytes: 2 ** 20, checksum: createHash('sha256').update(contents).digest('hex') }
  t.same(readFile(1), expected)
  t.same(yield* toThread(readFile, 1), expected)
})()))

t.test('hashPassword is scrypt', (t) => run((function* () {
  const expected = scryptSync('secret', 'salt', 32, { N: 1024, r: 8 }).toString('hex')
  t.equal(hashPassword('secret', 'salt', 10), expected)
  t.equal(yield* toThread(hashPassword, 'secret', 'salt', 10), expected)
})()))

t.test('a wrong argument is named, with what is allowed', async (t) => {
  t.throws(() => spin(-1), { name: 'RangeError', message: 'spin: ms must be from 0 to 60000, got -1' })
  t.throws(() => spin(NaN), RangeError)
  t.throws(() => spin('5' as never), { name: 'TypeError', message: 'spin: ms must be a number, got string' })
  t.throws(() => blockingSleep(61), RangeError)
  t.throws(() => readFile(0), RangeError)
  t.throws(() => readFile(1.5), { name: 'RangeError', message: 'readFile: megabytes must be an integer, got 1.5' })
  t.throws(() => readFile(1000), RangeError)
  t.throws(() => hashPassword(5 as never, 'salt'), { name: 'TypeError', message: 'hashPassword: password must be a string, got number' })
  t.throws(() => hashPassword('x'.repeat(2000), 'salt'), RangeError)
  t.throws(() => hashPassword('x', 'salt', 19), RangeError)
})
