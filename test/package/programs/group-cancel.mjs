// A group cancels itself, and its tasks take a while to end: a cancellation from outside meanwhile is not lost. And a task
// that starts eagerly may cancel its group before its first wait.
import assert from 'node:assert/strict'
import { CancelledError, createTask, Event, getRunningLoop, run, sleep, taskGroup, timeout, TimeoutError, VirtualClock } from 'loopscope'

const inVirtualTime = main => run(main(), { clock: new VirtualClock() })

function* endsSlowly() {
  try {
    yield* sleep(600)
  } finally {
    yield* sleep(1)
  }
}
function* cancelsLater(tg) {
  yield* sleep(0.1)
  tg.cancel()
}

await assert.rejects(inVirtualTime(function* () {
  yield* timeout(0.5, () => taskGroup(function* (tg) {
    tg.createTask(endsSlowly())
    yield* cancelsLater(tg)
  }))
}), TimeoutError)

for (const [who, start] of Object.entries({ 'the body': cancelsLater, 'a task': function* (tg) { tg.createTask(cancelsLater(tg)) } })) {
  await assert.rejects(inVirtualTime(function* () {
    const task = createTask(taskGroup(function* (tg) {
      tg.createTask(endsSlowly())
      yield* start(tg)
    }))
    yield* sleep(0.5)
    task.cancel()
    yield* task
  }), CancelledError, `the group is cancelled by ${who}`)
}

function* cancelsAtOnce(tg) {
  tg.cancel()
  yield* new Event().wait()
}
const ended = await inVirtualTime(function* () {
  yield* taskGroup(function* (tg) { tg.createTask(cancelsAtOnce(tg), { eagerStart: true }) })
  return getRunningLoop().time()
})
assert.equal(ended, 0)
