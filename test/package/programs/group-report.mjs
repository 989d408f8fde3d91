// The report of a group that failed, and was not awaited, contains what failed in it, and why.
import assert from 'node:assert/strict'
import { createTask, run, sleep, taskGroup } from 'loopscope'

const reports = []
console.error = text => reports.push(text)

function* connects() {
  yield* sleep(0.001)
  throw new Error('no connection', { cause: new Error('refused by 10.1.2.3') })
}
await run((function* () {
  createTask(taskGroup(function* (tg) { tg.createTask(connects()) }))
  for (let n = 0; n < 1000 && reports.length === 0; n++) yield* sleep(0.01)
})())
assert.equal(reports.length, 1)
assert.match(reports[0], /1 of 1: Error: no connection/)
assert.match(reports[0], /caused by: Error: refused by 10\.1\.2\.3/)
