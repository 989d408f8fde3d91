// For how long a loop counts as late, on a fake clock.
import t from 'tap'
import { Liveness } from '../../src/observe/liveness.ts'

/** When this thread polls, and the last heartbeat that it sees then. */
type Polls = [now: number, beat: number][]

function lateMs(polls: Polls, starved = 0): number {
  const liveness = new Liveness(() => starved)
  for (const [now, beat] of polls) liveness.poll(now, beat)
  return Math.round(liveness.late(polls.at(-1)![0], 0.07) * 1000)
}

/** Polls every 20 ms, without a new heartbeat. */
const quiet = (from: number, to: number, beat: number): Polls =>
  Array.from({ length: Math.round((to - from) / 0.02) + 1 }, (_, at) => [from + at * 0.02, beat])

t.test('a loop', async (t) => {
  const table: [what: string, polls: Polls, lateMs: number, starved?: number][] = [
    ['is not late before its first heartbeat', quiet(10, 20, 0), 0],
    ['is not late between two heartbeats', quiet(10, 10.06, 10), 0],
    ['is late since its last heartbeat', quiet(10, 15, 10), 5000],
    ['is not late after its next heartbeat', [...quiet(10, 15, 10), [15.02, 15.01]], 0],
    ['is not late because all threads were stopped', [[10, 10], [10.02, 10], [70, 10]], 0],
    ['is late by the time before and after that', [...quiet(10, 12, 10), ...quiet(72, 73, 10)], 3000],
    ['is not late without a processor', quiet(10, 15, 10), 0, 5],
    ['is late by the time in which it had one', quiet(10, 15, 10), 4000, 1],
  ]
  for (const [what, polls, expected, starved] of table) t.equal(lateMs(polls, starved), expected, what)
})
