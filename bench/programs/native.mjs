// The workloads on plain async/await. A task is the promise of an async function that was called.
import { setTimeout as abortableSleep } from 'node:timers/promises'
import { Queue } from './native-queue.mjs'

const range = (count, make) => Array.from({ length: count }, (_, i) => make(i))
const sum = (values) => values.reduce((a, b) => a + b, 0)
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

async function child(i) {
  return i
}

export async function spawn({ tasks }) {
  // The body must start on a later microtask, like a task's; this way is cheaper than an await at the beginning of the body.
  return sum(await Promise.all(range(tasks, (i) => Promise.resolve(i).then(child))))
}

async function switcher(id, each, seen) {
  for (let n = 0; n < each; n++) {
    await undefined
    if (seen.last !== id) seen.switches++
    seen.last = id
  }
}

export async function switching({ tasks, each }) {
  const seen = { last: -1, switches: 0 }
  await Promise.all(range(tasks, (i) => switcher(i, each, seen)))
  return seen.switches
}

async function echo(there, back, rounds) {
  for (let n = 0; n < rounds; n++) await back.put((await there.get()) + 1)
}

export async function exchange(there, back, rounds) {
  const echoing = echo(there, back, rounds)
  let total = 0
  for (let n = 0; n < rounds; n++) {
    await there.put(n)
    total += await back.get()
  }
  await echoing
  return total
}

export const pingpong = ({ rounds }) => exchange(new Queue(1), new Queue(1), rounds)

async function producer(channel, first, count) {
  for (let n = 0; n < count; n++) await channel.put(first + n)
  return 0
}

async function consumer(channel, count) {
  let total = 0
  for (let n = 0; n < count; n++) total += await channel.get()
  return total
}

export async function transfer(channel, { producers, consumers, items }) {
  const sides = [
    ...range(producers, (i) => producer(channel, i * items, items / producers)),
    ...range(consumers, () => consumer(channel, items / consumers)),
  ]
  return sum(await Promise.all(sides))
}

export const queue = (params) => transfer(new Queue(params.maxsize), params)

async function napper(i, spread) {
  await sleep((i * 7919) % spread)
  return i
}

export async function timers({ tasks, spread }) {
  return sum(await Promise.all(range(tasks, (i) => napper(i, spread))))
}

async function longSleeper(i, seen) {
  seen.asleep++
  await sleep(3_600_000 + (i % 500))
}

export async function memory({ tasks }, meter) {
  const seen = { asleep: 0 }
  meter.memoryBefore()
  const sleepers = range(tasks, (i) => longSleeper(i, seen))
  await sleep(meter.settle * 1000)
  meter.memoryAfter(seen.asleep, sleepers)
}

async function level(n) {
  if (n > 1) return 1 + (await level(n - 1))
  await undefined
  return 1
}

export async function deep({ depth, times }) {
  let total = 0
  for (let n = 0; n < times; n++) total += await level(depth)
  return total
}

async function suspendingLevel(n, suspensions) {
  if (n > 1) return await suspendingLevel(n - 1, suspensions)
  let count = 0
  for (; count < suspensions; count++) await undefined
  return count
}

export async function resuspend({ depth, suspensions, times }) {
  let total = 0
  for (let n = 0; n < times; n++) total += await suspendingLevel(depth, suspensions)
  return total
}

// Promises have no cancellation: each task gets an AbortController, and the platform's sleep listens to its signal.
export const cancel = ({ tasks }, meter) => cancelAll(tasks, meter, (ms, signal) => abortableSleep(ms, undefined, { signal }))

async function sleeper(sleepUntilAborted, signal) {
  await sleepUntilAborted(3_600_000, signal)
}

export async function cancelAll(tasks, meter, sleepUntilAborted) {
  const sleepers = range(tasks, () => {
    const controller = new AbortController()
    return { controller, end: sleeper(sleepUntilAborted, controller.signal) }
  })
  await sleep(meter.settle * 1000)
  meter.lap()
  for (const { controller } of sleepers) controller.abort()
  const ends = await Promise.allSettled(sleepers.map(({ end }) => end))
  return ends.filter((end) => end.status === 'rejected' && end.reason.name === 'AbortError').length
}
