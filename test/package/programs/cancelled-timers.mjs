// A loop that is never idle sets timeouts and drops them: the timers do not pile up.
import assert from 'node:assert/strict'
import { getRunningLoop, run, sleep, waitFor } from 'loopscope'

const ROUNDS = 50_000
await run((function* () {
  let most = 0
  for (let round = 0; round < ROUNDS; round++) {
    yield* waitFor(sleep(0), 3600)
    most = Math.max(most, getRunningLoop().timers.size)
  }
  assert.ok(most < ROUNDS / 50, `${most} timers`)
})())
