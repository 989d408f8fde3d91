// How many threads there may be, and what happens if the system has none to give: real threads, and the system's own limits.
import t, { type Test } from 'tap'
import { spawn, spawnSync } from 'node:child_process'
import { createInterface } from 'node:readline'
import {
  closeThreads, configureThreads, createTask, gather, QueueFull, run, sleep, syncToAsync, ThreadSensitiveContext, threadsState, type Coroutine,
} from '../../src/index.ts'
import { caught } from '../support/caught.ts'
import { without } from '../support/programs.ts'
import { hold, whichThread } from './workers/meet.ts'

const root = new URL('../../', import.meta.url)
const shared = (): Int32Array => new Int32Array(new SharedArrayBuffer(16))
const holding = syncToAsync(hold, { thread: 'sensitive' })
const where = syncToAsync(whichThread, { thread: 'sensitive' })
const inContext = <T>(body: () => Coroutine<T>): Coroutine<T> => new ThreadSensitiveContext().with(body)

function release(words: Int32Array): void {
  Atomics.store(words, 1, 1)
  Atomics.notify(words, 1)
}

function* until(condition: () => boolean): Coroutine<void> {
  while (!condition()) yield* sleep(0.001)
}

/** How many threads the contexts have, and how many of their calls wait for one. */
const contexts = (): [threads: number, queued: number] =>
  threadsState().contexts.reduce<[number, number]>(([threads, queued], lane) => [threads + lane.threads, queued + lane.queued], [0, 0])

t.setTimeout(240_000)
t.after(() => closeThreads())

t.test('the threads of ThreadSensitiveContexts', async (t) => {
  /** Begins with these limits. */
  async function bound(t: Test, options: Parameters<typeof configureThreads>[0]): Promise<void> {
    await closeThreads()
    configureThreads({ poolSize: 2, maxQueue: 1000, maxContexts: 2, idleSeconds: 1000, ...options })
    t.teardown(() => closeThreads())
  }

  await t.test('have a limit: further contexts wait for one, in order', async (t) => {
    await bound(t, {})
    await run((function* () {
      const held = [shared(), shared()] as const
      const order: number[] = []
      const first = held.map((words) => createTask(inContext(() => holding(words))))
      yield* until(() => held.every((words) => Atomics.load(words, 0) === 1))
      const later = Array.from({ length: 20 }, (_, i) => createTask(inContext(function* () {
        const thread = yield* where()
        order.push(i)
        return thread
      })))
      yield* until(() => contexts()[1] === 20)
      t.same(contexts(), [2, 20])
      // Only one of the two threads at first: answers of two at once arrive in either order.
      release(held[0])
      yield* gather(later.slice(0, 10))
      t.same(order.slice(0, 10), Array.from({ length: 10 }, (_, i) => i))
      release(held[1])
      const threads = new Set(yield* gather([...first, ...later]))
      t.equal(threads.size, 2, 'all ran on these two')
      yield* until(() => threadsState().contexts.length === 0)
    })())
  })

  await t.test('are separate from those of the pool and the sensitive thread', async (t) => {
    await bound(t, { maxContexts: 1 })
    await run((function* () {
      const words = shared()
      const holder = createTask(inContext(() => holding(words)))
      yield* until(() => Atomics.load(words, 0) === 1)
      t.type(yield* where(), 'number')
      release(words)
      yield* holder
    })())
  })

  await t.test('are waited for by a limited number of calls; the next is refused, and taken once there is room', async (t) => {
    await bound(t, { maxContexts: 1, maxQueue: 3 })
    await run((function* () {
      const words = shared()
      const holder = createTask(inContext(() => holding(words)))
      yield* until(() => Atomics.load(words, 0) === 1)
      const waiting = [1, 2, 3].map(() => createTask(inContext(where)))
      yield* until(() => contexts()[1] === 3)
      const error = (yield* caught(inContext(where))) as Error
      t.ok(error instanceof QueueFull)
      t.match(error.message, 'syncToAsync: 3 calls wait for one of the 1 threads of ThreadSensitiveContexts already, whichThread() finds no room: try again later')
      waiting[0]!.cancel()
      yield* caught(waiting[0]![Symbol.iterator]())
      waiting.push(createTask(inContext(where)))
      release(words)
      yield* gather([holder, ...waiting.slice(1)])
      t.type(yield* inContext(where), 'number')
    })())
  })

  await t.test('are not waited for by contexts that ended before they had one', async (t) => {
    await bound(t, { maxContexts: 1 })
    await run((function* () {
      const words = shared()
      const holder = createTask(inContext(() => holding(words)))
      yield* until(() => Atomics.load(words, 0) === 1)
      for (let round = 0; round < 100; round++) {
        const task = createTask(inContext(where))
        yield* sleep(0)
        task.cancel()
        yield* caught(task[Symbol.iterator]())
      }
      yield* until(() => threadsState().contexts.length === 1)
      release(words)
      yield* holder
      t.type(yield* inContext(where), 'number')
    })())
  })

  await t.test('go from a context that ends to the next one', async (t) => {
    await bound(t, { maxContexts: 8 })
    await run((function* () {
      const threads: number[] = []
      for (let i = 0; i < 5; i++) {
        threads.push(yield* inContext(where))
        yield* until(() => threadsState().contexts.length === 0)
      }
      t.equal(new Set(threads).size, 1)
    })())
  })

  await t.test('end when no context takes them for a while, and others start when they are needed', async (t) => {
    await bound(t, { maxContexts: 1, idleSeconds: 0 })
    await run((function* () {
      const one = yield* inContext(where)
      // The next context waits until it has ended: there may be no second thread.
      for (;;) {
        const other = yield* inContext(where)
        if (other !== one) break
        yield* sleep(0.01)
      }
      t.pass('another one has taken its place')
    })())
  })
})

interface Program {
  lines: string[]
  code: number | null
}

/** Runs a program under a limit; when it prints `ready`, `limit` is called, and it continues. */
function limited(command: string[], body: string, limit: (pid: number) => void = () => {}): Promise<Program> {
  const source = `
    import { closeSync, openSync } from 'node:fs'
    import { once } from 'node:events'
    import { gather, run, toThread } from '${root.href}src/index.ts'
    import { spin } from '${root.href}workers/spin.ts'
    function* attempt(...calls) {
      for (const call of calls) {
        try { yield* call(); console.log('done') } catch (error) { console.log(error.name, error.message, error.cause?.code ?? '') }
      }
    }
    const ready = async () => {
      console.log('ready')
      await once(process.stdin, 'data')
    }
    ${body}
    process.stdin.destroy()`
  // Through env, because tap adds a module to every process that it sees started.
  const [name, ...args] = [...command, 'env', '-u', 'NODE_OPTIONS', process.execPath, '--import', './tools/ts.mjs', '--input-type=module', '-e', source]
  const child = spawn(name!, args, { cwd: root, stdio: ['pipe', 'pipe', 'inherit'], timeout: 120_000, killSignal: 'SIGKILL' })
  const lines: string[] = []
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (line !== 'ready') lines.push(line)
    else {
      limit(child.pid!)
      child.stdin.write('go\n')
    }
  })
  return new Promise((resolve) => child.on('close', (code) => resolve({ lines, code })))
}

t.test('if the system has no thread to give', async (t) => {
  await t.test('no free file descriptor fails the waiting calls with the reason, and passes: the next call has its thread', async (t) => {
    const { lines, code } = await limited(['sh', '-c', 'ulimit -n 100; exec "$@"', 'sh'], `
      for (const free of [0, 2, 4]) {
        const open = []
        try { for (;;) open.push(openSync('/dev/null')) } catch {}
        for (let i = 0; i < free; i++) closeSync(open.pop())
        await run((function* () { yield* gather([attempt(() => toThread(spin, 1)), attempt(() => toThread(spin, 1))]) })())
        for (const one of open) closeSync(one)
      }
      await run(attempt(() => toThread(spin, 1)))`)
    t.equal(code, 0)
    t.equal(lines.length, 7)
    for (const line of lines.slice(0, 6)) t.match(line, /^NoThread a worker thread \(pool\) .*EMFILE/)
    t.equal(lines[6], 'done')
  })

  const missing = without(['prlimit', 'util-linux'], ['setpriv', 'util-linux'])
  const skip = process.getuid?.() === 0 ? missing : 'the limit is one of a user: only root can make one up'
  const user = String(60_000 + process.pid % 5000)
  const otherUser = ['setpriv', '--reuid', user, '--regid', user, '--clear-groups']
  const limitTo = (t: Test, pid: number, processes: number): void => {
    const [name, ...args] = [...otherUser, 'prlimit', '--pid', String(pid), `--nproc=${processes}:4096`]
    t.equal(spawnSync(name!, args).status, 0, 'the limit is set')
  }

  await t.test('a limit of processes does the same', { skip }, async (t) => {
    const limits = [1, 4096]
    const { lines, code } = await limited(otherUser, `
      await ready()
      await run(attempt(() => toThread(spin, 1)))
      await ready()
      await run(attempt(() => toThread(spin, 1)))`, (pid) => limitTo(t, pid, limits.shift()!))
    t.equal(code, 0)
    t.equal(lines.length, 2)
    t.match(lines[0], /^NoThread a worker thread \(pool\) could not be started: Error: EAGAIN/)
    t.equal(lines[1], 'done')
  })

  await t.test('the existing threads take all the calls', { skip }, async (t) => {
    const { lines, code } = await limited(otherUser, `
      await run(attempt(() => toThread(spin, 1)))
      await ready()
      const calls = Array.from({ length: 6 }, () => () => attempt(() => toThread(spin, 20)))
      await run((function* () { yield* gather(calls.map(call => call())) })())`, (pid) => limitTo(t, pid, 1))
    t.equal(code, 0)
    t.same(lines, Array.from({ length: 7 }, () => 'done'))
  })
})
