// A group that waits for its tasks, and a condition that takes its lock back, pass a cancellation on: debug mode has
// nothing to report.
import assert from 'node:assert/strict'
import { Condition, createTask, getRunningLoop, run, sleep, taskGroup, VirtualClock } from 'loopscope'

function* endsSlowly() {
  try {
    yield* sleep(600)
  } finally {
    yield* sleep(1)
  }
}
function* inGroup() {
  yield* taskGroup(function* (tg) { tg.createTask(endsSlowly()) })
}
function* inCondition() {
  const condition = new Condition()
  function* keepsTheLock() {
    yield* sleep(0.5)
    yield* condition.with(() => sleep(3))
  }
  createTask(keepsTheLock())
  yield* condition.with(() => condition.wait())
}

for (const body of [inGroup, inCondition]) {
  const reports = []
  const cancelled = await run((function* () {
    getRunningLoop().setExceptionHandler((_loop, { message }) => reports.push(message))
    const task = createTask(body())
    yield* sleep(1)
    task.cancel()
    yield* sleep(10)
    return task.cancelled()
  })(), { clock: new VirtualClock(), debug: true })
  assert.deepEqual([body.name, cancelled, reports], [body.name, true, []])
}
