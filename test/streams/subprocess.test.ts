// Processes: what test_subprocess.py of CPython tests, with Node and the shell as programs.
import { openSync } from 'node:fs'
import t from 'tap'
import {
  BrokenPipeError, ConnectionResetError, createSubprocessExec, createSubprocessShell, createTask, DEVNULL, fromPromise, gather, PIPE, ProcessLookupError, run, sleep, STDOUT,
  timeout, wait, type Coroutine, type Process, type SubprocessOptions,
} from '../../src/index.ts'
import { eventually } from '../support/eventually.ts'
import { runProgram } from '../support/program.ts'
import { thrown, thrownBy } from '../support/virtual.ts'
import { bytes, text } from './support.ts'

const BLOCKED = ['sleep', '1000'] as const
const ALL = { stdin: PIPE, stdout: PIPE, stderr: PIPE }

const node = (source: string, options: SubprocessOptions = {}): Coroutine<Process> =>
  createSubprocessExec('env', '-u', 'NODE_OPTIONS', process.execPath, '-e', source, options)

const running = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** Runs `main` to its end within a generous time. */
const within = (main: () => Coroutine<unknown>): Promise<unknown> => run(timeout(120, main))

t.test('a process', async (t) => {
  await t.test('gets its input and gives its output', async (t) => {
    await within(function* () {
      const one = yield* createSubprocessExec('cat', { stdin: PIPE, stdout: PIPE })
      one.stdin?.write(bytes('some data'))
      yield* one.stdin!.drain()
      one.stdin?.close()
      t.same([text(yield* one.stdout!.read()), yield* one.wait(), one.returncode, one.stderr], ['some data', 0, 0, null])

      const two = yield* createSubprocessExec('cat', '-n', { stdin: PIPE, stdout: PIPE })
      t.same((yield* two.communicate(bytes('a\nb\n'))).map(text), ['     1\ta\n     2\tb\n', null])
      t.equal(String(two), `<Process ${two.pid} returncode=0>`)
    })
  })

  await t.test('of the shell has its exit code, its variables and its folder', async (t) => {
    await within(function* () {
      t.equal(yield* (yield* createSubprocessShell('exit 7')).wait(), 7)
      t.equal(yield* (yield* createSubprocessShell('exit 8', { startNewSession: true })).wait(), 8)
      const process = yield* createSubprocessShell('echo $NAME; pwd', { stdout: PIPE, env: { NAME: 'value' }, cwd: '/' })
      t.equal(text((yield* process.communicate())[0]), 'value\n/\n')
    })
  })

  await t.test('is ended by signals, which its returncode says', async (t) => {
    await within(function* () {
      for (const [end, code] of [[(one: Process) => one.kill(), -9], [(one: Process) => one.terminate(), -15], [(one: Process) => one.sendSignal('SIGHUP'), -1]] as const) {
        const one = yield* createSubprocessExec(...BLOCKED)
        t.equal(one.returncode, null)
        end(one)
        t.equal(yield* one.wait(), code)
        t.ok(thrown(() => end(one)) instanceof ProcessLookupError)
        t.throws(() => one.sendSignal('SIGNOTHING' as NodeJS.Signals), { name: 'RangeError' })
      }
    })
  })

  await t.test('that reads nothing fails its writer, and not communicate', async (t) => {
    const large = new Uint8Array(10_000_000)
    await within(function* () {
      const one = yield* createSubprocessExec('true', { stdin: PIPE })
      const error = yield* thrownBy(function* () {
        for (;;) {
          one.stdin?.write(large)
          yield* one.stdin!.drain()
        }
      })
      t.ok(error instanceof BrokenPipeError || error instanceof ConnectionResetError, String(error))
      yield* one.wait()
      const two = yield* createSubprocessExec('true', { stdin: PIPE, stdout: PIPE })
      t.same((yield* two.communicate(large)).map(text), ['', null])
      t.equal(two.returncode, 0)
    })
  })

  await t.test('that writes much is paused, and loses nothing, also once it has ended', async (t) => {
    await within(function* () {
      const one = yield* node('process.stdout.write("x".repeat(3_000_000))', { stdout: PIPE, limit: 1000 })
      yield* sleep(0.3)
      t.ok(Number(/(\d+) bytes/.exec(String(one.stdout))?.[1] ?? 0) <= 2000 + 65_536, String(one.stdout))
      t.equal((yield* one.communicate())[0]?.length, 3_000_000)

      const two = yield* createSubprocessShell('head -c 100000 /dev/zero', { stdout: PIPE, limit: 10 })
      yield* fromPromise(eventually(() => two.returncode !== null))
      yield* sleep(0.1)
      let read = 0
      for (let data; (data = yield* two.stdout!.read(4096)).length > 0;) read += data.length
      t.equal(read, 100_000)
      yield* two.wait()
    })
  })

  await t.test('has its outputs where they should go', async (t) => {
    const command = 'echo out; echo err >&2; echo out'
    const folder = t.testdir({ file: '' })
    await within(function* () {
      const outputs = function* (options: SubprocessOptions): Coroutine<unknown[]> {
        return (yield* (yield* createSubprocessShell(command, options)).communicate()).map(text)
      }
      t.same(yield* outputs({ stdout: PIPE, stderr: PIPE }), ['out\nout\n', 'err\n'])
      t.same(yield* outputs({ stdout: PIPE, stderr: STDOUT }), ['out\nerr\nout\n', null])
      t.same(yield* outputs({ stdout: PIPE, stderr: DEVNULL }), ['out\nout\n', null])
      t.same(yield* outputs({ stdout: DEVNULL, stderr: PIPE }), [null, 'err\n'])
      t.same(yield* outputs({ stdout: DEVNULL, stderr: STDOUT }), [null, null])
      yield* outputs({ stdout: openSync(`${folder}/file`, 'w'), stderr: STDOUT })
      const both = yield* createSubprocessExec('cat', `${folder}/file`, { stdout: PIPE })
      t.equal(text((yield* both.communicate())[0]), 'out\nerr\nout\n')
      for (const stdin of [PIPE, DEVNULL]) {
        const count = yield* createSubprocessExec('wc', '-c', { ...ALL, stdin })
        t.match((yield* count.communicate(stdin === PIPE ? bytes('') : null)).map(text), ['0\n', ''])
      }
    })
  })

  await t.test('that cannot be started fails, and leaves nothing', async (t) => {
    await within(function* () {
      for (const options of [{}, ALL, { stdout: PIPE, stderr: STDOUT }]) {
        t.match(yield* thrownBy(() => createSubprocessExec('no-such-program', options)), { code: 'ENOENT', message: 'spawn no-such-program ENOENT' })
      }
      t.match(yield* thrownBy(() => createSubprocessExec('ls', { cwd: '/no-such-folder' })), { code: 'ENOENT' })
      const cases: [() => Coroutine<unknown>, RegExp][] = [
        [() => createSubprocessExec('ls', 7 as unknown as string), /the program and each argument must be a text, got 7/],
        [() => createSubprocessExec('ls', { text: true } as object), /createSubprocessExec: unknown option text. The options are stdin, stdout, stderr, limit, cwd, env/],
        [() => createSubprocessShell('ls', { encoding: 'utf8' } as object), /createSubprocessShell: unknown option encoding/],
        [() => createSubprocessExec('ls', { stdout: STDOUT }), /stdout must be PIPE, DEVNULL, the number of an open file, or null, got -2/],
        [() => createSubprocessShell(null as unknown as string), /command must be a text, got null/],
      ]
      for (const [call, message] of cases) t.match((yield* thrownBy(call)).message, message)
      const one = yield* createSubprocessExec('true')
      t.match((yield* thrownBy(() => one.communicate(bytes('x')))).message, /input needs stdin: PIPE/)
    })
  })

  await t.test('cancelled at each of its waits', async (t) => {
    await within(function* () {
      const one = yield* createSubprocessExec(...BLOCKED, ALL)
      for (const call of [() => one.wait(), () => one.communicate(), () => one.stdout!.readline()]) {
        const task = createTask(call() as Coroutine<unknown>)
        yield* sleep(0)
        yield* sleep(0)
        task.cancel()
        yield* wait([task])
        t.ok(task.cancelled())
      }
      const waiting = createTask(one.wait())
      const reading = createTask(one.stdout!.read())
      yield* sleep(0)
      t.match([waiting, reading].map((task) => task.waiter?.describeWait()), [
        { kind: 'promise', label: `process ${one.pid} to end` }, { kind: 'receive', label: `data from stdout of process ${one.pid}` },
      ])
      one.kill()
      t.same([yield* waiting, (yield* reading).length], [-9, 0])

      const starting = createTask(createSubprocessExec(...BLOCKED))
      yield* sleep(0)
      starting.cancel()
      yield* wait([starting])
      t.ok(starting.cancelled())
    })
  })

  await t.test('many at once, and none waits for another', async (t) => {
    await within(function* () {
      const codes = yield* gather(Array.from({ length: 12 }, (_, code) => (function* () {
        const one = yield* createSubprocessShell(`read line; echo $line; exit ${code}`, { stdin: PIPE, stdout: PIPE })
        const [output] = yield* one.communicate(bytes(`line ${code}\n`))
        return `${text(output)}${one.returncode}`
      })()))
      t.same(codes, Array.from({ length: 12 }, (_, code) => `line ${code}\n${code}`))
    })
  })

  await t.test('that a program leaves running is killed with its loop', async (t) => {
    let pid = 0
    await run((function* () {
      pid = (yield* createSubprocessExec(...BLOCKED)).pid
    })())
    t.ok(await eventually(() => !running(pid)))
  })
})

t.test('signal handlers', async (t) => {
  await t.test('are called on the loop, with their arguments, until they are removed', async (t) => {
    const { lines, code, signal } = await runProgram(`
      await run((function* () {
        const loop = getRunningLoop()
        const variable = new ContextVar('variable')
        variable.set('own')
        const came = new Event()
        loop.addSignalHandler('SIGUSR2', (...words) => { print(...words, variable.get(), getRunningLoop() === loop); came.set() }, 'signal', 1)
        process.kill(process.pid, 'SIGUSR2')
        yield* came.wait()
        came.clear()
        loop.addSignalHandler('SIGUSR2', () => { print('replaced'); came.set() })
        process.kill(process.pid, 'SIGUSR2')
        yield* came.wait()
        for (const name of ['SIGKILL', 'SIGWHAT']) try { loop.addSignalHandler(name, print) } catch (error) { print(String(error)) }
        print(loop.removeSignalHandler('SIGUSR2'), loop.removeSignalHandler('SIGUSR2'), process.listenerCount('SIGUSR2'))
        loop.addSignalHandler('SIGUSR2', print)
      })())
      print(process.listenerCount('SIGUSR2'))
    `)
    t.same(lines, [
      'signal 1 own true', 'replaced', 'RuntimeError: addSignalHandler: no process can handle SIGKILL',
      'RangeError: addSignalHandler: a signal is needed, such as \'SIGTERM\', got "SIGWHAT"', 'true false 0', '0',
    ])
    t.same([code, signal], [0, null])
  })

  await t.test('of SIGINT take the place of the cancellation', async (t) => {
    const { lines, code } = await runProgram(`
      await run((function* () {
        const stop = new Event()
        getRunningLoop().addSignalHandler('SIGINT', () => stop.set())
        print('ready')
        yield* stop.wait()
        print('stopped')
      })())
    `, { onLine: (line, program) => { if (line === 'ready') program.kill('SIGINT') } })
    t.same([lines, code], [['ready', 'stopped'], 0])
  })
})
