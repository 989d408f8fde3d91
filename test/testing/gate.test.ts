// The gate for tests, in this process and in node:test.
import '../../src/testing/index.ts'
import { pbkdf2Sync } from 'node:crypto'
import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { runInThisContext } from 'node:vm'
import t from 'tap'
import { gated, LoopGate, LoopGateError, type Finding, type GateOptions } from '../../src/testing/index.ts'
import * as blocking from './programs/blocking.ts'
import { runNode, WITH_TYPESCRIPT } from '../support/server-process.ts'

/** On a processor. */
const SPIN_MS = 500

async function findings(body: () => unknown, options: GateOptions = {}): Promise<Finding[]> {
  const gate = new LoopGate(options)
  await gate.start()
  await body()
  return gate.stop()
}

/** Only what is synchronous: on a busy machine anything may take long. */
const synchronous = (body: () => unknown, options: GateOptions = {}): Promise<Finding[]> => findings(body, { blockedMs: false, ...options })

t.test('a gate', async (t) => {
  await t.test('finds the line that blocks the loop, in a callback as well', async (t) => {
    const later = (): Promise<void> => new Promise((resolve) => {
      setTimeout(() => {
        blocking.spins(SPIN_MS)
        resolve()
      }, 1)
    })
    for (const body of [() => blocking.spins(SPIN_MS), later]) {
      const [found, ...others] = await findings(body, { blockedMs: 200, sync: false })
      t.same(others, [])
      t.match(found, { kind: 'blocked', ms: Number, at: /spins \(.*test\/testing\/programs\/blocking\.ts:1[0-3]:\d+\)$/ })
      t.ok((found as { ms: number }).ms >= 200)
    }
  })

  await t.test('finds nothing of what was before it and after it', async (t) => {
    const gate = new LoopGate({ blockedMs: 200 })
    blocking.spins(SPIN_MS)
    blocking.reads()
    const started = gate.start()
    blocking.spins(SPIN_MS)
    blocking.reads()
    await started
    t.same(await gate.stop(), [])
    blocking.reads()
    await gate.start()
    t.same(await gate.stop(), [])
  })

  await t.test('finds synchronous functions, with the line that calls them and how often', async (t) => {
    t.match(await synchronous(() => {
      blocking.reads()
      for (let times = 0; times < 3; times++) readFileSync(import.meta.filename)
      pbkdf2Sync('a', 'b', 1, 16, 'sha256')
    }), [
      { kind: 'sync', function: 'fs.readFileSync', times: 1, at: /reads .*blocking\.ts:18:\d+/ },
      { kind: 'sync', function: 'fs.readFileSync', times: 3, at: /gate\.test\.ts:\d+:\d+/ },
      { kind: 'sync', function: 'crypto.pbkdf2Sync', times: 1 },
    ])
    t.match(await synchronous(() => blocking.readsTaken()), [{ function: 'fs.readFileSync' }], 'one that was taken out of its module after the gate was imported')
    t.same(await synchronous(() => blocking.loads()), [], 'loading a module is no call of the program')
    t.same(await synchronous(() => blocking.reads(), { sync: false }), [])
  })

  await t.test('leaves the functions as they are', async (t) => {
    t.equal(readFileSync.name, 'readFileSync')
    t.equal(readFileSync.length, 2)
    t.type(realpathSync.native, 'function')
    t.throws(() => readFileSync('/nowhere'), { code: 'ENOENT', syscall: 'open' })
    t.equal(existsSync(import.meta.filename), true)
  })

  await t.test('lets through what is allowed', async (t) => {
    for (const allow of [['readFileSync'], ['programs/blocking'], [/^fs\..*blocking\.ts/g]]) t.same(await synchronous(() => blocking.reads(), { allow }), [], String(allow))
    t.equal((await synchronous(() => blocking.reads(), { allow: ['other.ts', /^child_process/] })).length, 1)
  })

  await t.test('is bounded', async (t) => {
    const calls = runInThisContext(`(look) => { ${"look('.');".repeat(300)} }`) as (look: (path: string) => unknown) => void
    t.equal((await synchronous(() => calls(existsSync))).length, 100)
  })

  await t.test('refuses what is not possible', async (t) => {
    t.throws(() => new LoopGate({ blocked: 5 } as never), { name: 'TypeError', message: 'LoopGate: unknown option blocked. The options are blockedMs, sync, allow' })
    for (const blockedMs of [19, NaN, true as never]) t.throws(() => new LoopGate({ blockedMs }), { name: 'RangeError', message: /blockedMs: .* must be a number from 20, or false/ })
    const gate = new LoopGate({ blockedMs: false })
    await t.rejects(gate.stop(), { message: 'LoopGate: stop was called before start' })
    await gate.start()
    await t.rejects(gate.start(), { message: /start was called twice/ })
    await gate.assert()
  })
})

t.test('a gated test', async (t) => {
  await t.test('fails as its body does, and else with all findings', async (t) => {
    await t.rejects(gated(() => { throw new RangeError('the body') }, { blockedMs: false })(), { name: 'RangeError' })
    const error = await gated(() => blocking.reads(), { blockedMs: false })().catch((thrown: unknown) => thrown) as LoopGateError
    t.match(error, { name: 'LoopGateError', findings: [{ kind: 'sync' }], message: /^1 line blocks the event loop:\n {2}fs\.readFileSync was called at .*blocking\.ts:18:\d+/ })
    t.ok(error instanceof LoopGateError)
  })

  await t.test('gets the arguments and gives the result', async (t) => {
    const test = gated(function (this: { by: number }, a: number, b: number) { return a * b * this.by }, { blockedMs: false })
    t.equal(await test.call({ by: 7 }, 2, 3), 42)
    t.equal(test.length, 2)
  })

  await t.test('in node:test', async (t) => {
    const program = runNode(t, [...WITH_TYPESCRIPT, '--test-reporter=tap', '--test', 'test/testing/programs/under-node-test.ts'])
    t.equal(await program.ended, 1)
    const results = [...program.log().matchAll(/^ *(ok|not ok) \d+ - (.*?)( # .*)?$/gm)].map(([, result, name]) => `${result} ${name}`)
    t.same(results.filter((line) => !/with hooks|\.ts/.test(line)), ['ok waits', 'not ok spins', 'not ok runs a command', 'ok reads', 'not ok spins in a hook'])
    t.match(program.log(), /blocked for \d+ ms in .*blocking\.ts:1[0-3]:/)
    t.match(program.log(), /child_process\.execSync was called at .*under-node-test\.ts:15:/)
  })
})
