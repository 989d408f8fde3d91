// Promises that are rejected without a reason, and `throw null`, are failures like any other.
import assert from 'node:assert/strict'
import { createTask, ExceptionGroup, fromPromise, gather, run, shield, sleep, taskGroup, wait } from 'loopscope'

const reports = []
console.error = text => reports.push(text)

for (const reason of [undefined, null]) {
  const rejected = () => fromPromise(() => new Promise((_resolve, reject) => setTimeout(reject, 5, reason)))

  assert.deepEqual(await run((function* () {
    return yield* gather([rejected(), sleep(0.01, 'slept')], { returnExceptions: true })
  })()), [reason, 'slept'])

  assert.deepEqual(await run((function* () {
    return yield* gather([createTask(rejected())], { returnExceptions: true })
  })()), [reason])

  assert.deepEqual(await run((function* () {
    try {
      return yield* shield(rejected())
    } catch (error) {
      return ['caught', error]
    }
  })()), ['caught', reason])

  await assert.rejects(run(taskGroup(function* (tg) {
    tg.createTask(rejected())
    yield* sleep(60)
  })), error => error instanceof ExceptionGroup && error.errors.length === 1 && error.errors[0] === reason)

  const pending = await run((function* () {
    const long = createTask(sleep(60), { name: 'long' })
    const result = yield* wait([createTask(rejected()), long], { returnWhen: 'FIRST_EXCEPTION' })
    return [...result.pending].map(task => task.getName())
  })())
  assert.deepEqual(pending, ['long'])

  reports.length = 0
  assert.equal(await run((function* () {
    createTask((function* () {
      try {
        yield* sleep(60)
      } catch {
        throw reason
      }
    })())
    yield* sleep(0)
    return 'ended'
  })()), 'ended')
  assert.match(reports.join('\n'), new RegExp(`exception=${reason}`))
}
