// A million sleeping tasks, created, cancelled and collected: memory is back where it was.
import t from 'tap'
import { runProgram } from '../support/program.ts'

const MILLION = 1_000_000

/** Prints the heap in use, in MB after a collection: before, with a million sleepers, and after each of the ways in which they end. */
const program = `
  const host = () => new Promise(resolve => setImmediate(resolve))
  async function megabytes() {
    // What finalizers and weak references still hold goes with the second round.
    for (let round = 0; round < 4; round++) {
      await host()
      gc()
    }
    return Math.round(process.memoryUsage().heapUsed / 1e6)
  }
  function* sleeper() {
    yield* sleep(3600)
  }
  function spawn() {
    const tasks = new Array(${MILLION})
    for (let n = 0; n < ${MILLION}; n++) tasks[n] = createTask(sleeper())
    return tasks
  }
  function* main() {
    const sizes = {}
    const measure = function* (name) { sizes[name] = yield* fromPromise(megabytes) }
    // One round beforehand, so that compiled code and grown tables are no part of the difference.
    for (let n = 0; n < 1000; n++) createTask(sleeper()).cancel()
    yield* sleep(0)
    yield* measure('before')
    let tasks = spawn()
    yield* sleep(0)
    yield* measure('asleep')
    for (const task of tasks) task.cancel()
    yield* gather(tasks, { returnExceptions: true })
    const cancelled = tasks.every(task => task.cancelled())
    tasks = null
    yield* sleep(0)
    yield* measure('after')
    return { cancelled, left: allTasks().size, ...sizes }
  }
  console.log(JSON.stringify(await run(main())))
`

t.test('a million sleeping tasks come and go, and memory is back at its start', async (t) => {
  const { lines, errors, code } = await runProgram(program, { flags: ['--expose-gc', '--max-old-space-size=3000'] })
  t.same({ errors, code }, { errors: '', code: 0 })
  const { cancelled, left, before, asleep, after } = JSON.parse(lines[0] ?? '{}') as Record<string, number>
  t.comment(`MB of heap: ${before} before, ${asleep} asleep, ${after} after`)
  t.same({ cancelled, left }, { cancelled: true, left: 1 })
  t.ok(asleep! > before! + 100, 'a million tasks do weigh something')
  t.ok(after! <= before! + 10, `${after} MB after, ${before} MB before`)
})
