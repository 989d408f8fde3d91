// The JavaScript habit `return promise`: what main returns without `yield*` is awaited, as in an async function.
import assert from 'node:assert/strict'
import { createTask, gather, run, shield, sleep } from 'loopscope'

const returned = {
  'a gather': () => gather([sleep(0.01, 'x'), sleep(0.01, 'x')]),
  'a task': () => createTask(sleep(0.01, ['x', 'x'])),
  'a shield': () => shield(sleep(0.01, ['x', 'x'])),
  'a coroutine': () => sleep(0.01, ['x', 'x']),
  'a promise': () => Promise.resolve(['x', 'x']),
}
for (const [what, make] of Object.entries(returned)) {
  assert.deepEqual(await run((function* () { return make() })()), ['x', 'x'], what)
}
