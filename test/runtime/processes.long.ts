// run() in processes: interrupts, exit codes, and what keeps a process alive.
import t from 'tap'
import { runProgram } from '../support/program.ts'

t.test('processes', async (t) => {
  t.test('a process stays alive while run() waits, although nothing of the host is open, and exits afterwards', async (t) => {
    const { lines, code, errors } = await runProgram(`
      await run((function* () {
        console.log('begins')
        yield* sleep(0.05)
        console.log('slept')
        const future = getRunningLoop().createFuture()
        setTimeout(() => future.setResult('set'), 50).unref()
        console.log(yield* future)
      })())
      setInterval(() => {}, 1e9).unref()
      console.log('end')
    `)
    t.same({ lines, code, errors }, { lines: ['begins', 'slept', 'set', 'end'], code: 0, errors: '' })
  })

  t.test('SIGINT cancels main, its clean-up is awaited, and run rejects with a KeyboardInterrupt', async (t) => {
    const { lines, code, signal } = await runProgram(`
      try {
        await run((function* () {
          try {
            console.log('ready')
            yield* sleep(1000)
          } catch (error) {
            console.log('main gets ' + error.name)
            yield* sleep(0.01)
            console.log('cleaned up')
            throw error
          }
        })())
      } catch (error) {
        console.log('run rejects with ' + error.name + ', caused by ' + error.cause.name)
      }
      console.log(process.listenerCount('SIGINT') + ' listeners left')
    `, { onLine: (line, program) => { if (line === 'ready') program.kill('SIGINT') } })
    t.same(lines, ['ready', 'main gets CancelledError', 'cleaned up', 'run rejects with KeyboardInterrupt, caused by CancelledError', '0 listeners left'])
    t.same({ code, signal }, { code: 0, signal: null })
  })

  t.test('an interrupt that is not caught ends the process with 130, a caught one with the program\'s own code', async (t) => {
    const main = 'function* main() { console.log("ready"); yield* sleep(60) }\n'
    const endings: [source: string, code: number][] = [
      ['await run(main())', 130],
      ['run(main())', 130],
      ['await run(main()).catch(error => console.log(error.name))', 0],
      ['await run(main()).catch(() => { throw new Error("another") })', 1],
      ['await run(main()).catch(() => { process.exitCode = 3 })', 3],
      ['process.on("uncaughtException", () => {}); run(main())', 0],
    ]
    for (const [source, expected] of endings) {
      const { code, errors } = await runProgram(main + source, { onLine: (line, program) => { if (line === 'ready') program.kill('SIGINT') } })
      t.equal(code, expected, source)
      if (expected === 130) t.match(errors, /KeyboardInterrupt: interrupted \(SIGINT\)/)
    }
  })

  t.test('a main that survives SIGINT returns its value', async (t) => {
    const { lines, code } = await runProgram(`
      console.log(await run((function* () {
        try {
          console.log('ready')
          yield* sleep(1000)
        } catch {
          return 'survived'
        }
      })()))
    `, { onLine: (line, program) => { if (line === 'ready') program.kill('SIGINT') } })
    t.same({ lines, code }, { lines: ['ready', 'survived'], code: 0 })
  })

  t.test('a second SIGINT ends the process', async (t) => {
    const { lines, signal } = await runProgram(`
      await run((function* () {
        for (;;) {
          try {
            console.log('waits')
            yield* sleep(1000)
          } catch {}
        }
      })())
    `, { onLine: (line, program) => { if (line === 'waits') program.kill('SIGINT') } })
    t.same({ lines, signal }, { lines: ['waits', 'waits'], signal: 'SIGINT' })
  })

  t.test('a program that listens for SIGINT itself is not interrupted', async (t) => {
    const { lines, code } = await runProgram(`
      process.on('SIGINT', () => { console.log('own handler'); future.setResult('goes on') })
      let future
      console.log(await run((function* () {
        future = getRunningLoop().createFuture()
        console.log('ready')
        return yield* future
      })()))
      process.exit()
    `, { onLine: (line, program) => { if (line === 'ready') program.kill('SIGINT') } })
    t.same({ lines, code }, { lines: ['ready', 'own handler', 'goes on'], code: 0 })
  })

  t.test('LOOPSCOPE_DEBUG=1 switches debug mode on', async (t) => {
    const before = process.env['LOOPSCOPE_DEBUG']
    process.env['LOOPSCOPE_DEBUG'] = '1'
    const { lines } = await runProgram('await run((function* () { console.log(getRunningLoop().debug) })())')
    if (before === undefined) delete process.env['LOOPSCOPE_DEBUG']
    else process.env['LOOPSCOPE_DEBUG'] = before
    t.same(lines, ['true'])
  })
})
