// What the rule must leave alone: coroutines that are awaited, started, handed on or dropped on purpose; tasks and
// futures; and generators that have nothing to do with loopscope.
import {
  asyncFor, createTask, ensureFuture, gather, getRunningLoop, Queue, run, shield, sleep, taskGroup, timeout,
  type AsyncGen, type Awaitable, type Coroutine, type Future, type Task,
} from '../../src/index.ts'

const queue = new Queue<number>(1)
declare const items: number[]
declare const isLate: boolean
declare const future: Future<number>
declare const task: Task<number>
declare const anything: any

function* work(n: number): Coroutine<number> {
  yield* sleep(n)
  return n
}

export function* awaited(): Coroutine<number> {
  yield* sleep(1)
  isLate && (yield* sleep(1))
  const n = yield* work(1)
  const coroutine = work(2)
  const m = yield* coroutine
  const [a, b] = yield* gather([work(1), work(2)])
  yield* timeout(1, function* () { yield* sleep(2) })
  yield* taskGroup(function* (group) {
    group.createTask(work(1))
    items.forEach(item => group.createTask(work(item)))
    yield* sleep(0)
  })
  for (const item of items) yield* queue.put(item)
  return n + m + a + b
}

export function* started(): Coroutine<void> {
  createTask(work(1))
  ensureFuture(work(1))
  gather([work(1), work(2)])
  shield(work(1))
  getRunningLoop().createTask(work(1))
  const held = createTask(work(1))
  isLate && createTask(work(1))
  items.forEach(item => createTask(work(item)))
  items.forEach(item => { createTask(work(item)) })
  yield* sleep(0)
}

declare function startAtOnce(): Coroutine<number> & PromiseLike<number>

export function* tasksAndFutures(): Coroutine<void> {
  task
  future
  void task
  isLate ? task : future
  const unread = task
  startAtOnce()
  yield* sleep(0)
}

export async function fromPromises(): Promise<number> {
  await run(work(1))
  await createTask(work(1))
  await task
  return await future
}

export function onPurpose(): void {
  void sleep(1)
  void work(1)
  items.forEach(item => void queue.put(item))
  queue.putNowait(1)
}

export function handedOn(): Coroutine<number>[] {
  const first = work(1)
  const rest = items.map(item => work(item))
  const byName = { work: () => work(1), *method() { yield* sleep(1) } }
  const later = () => sleep(1)
  if (later !== undefined) rest.push(byName.work())
  return [first, ...rest]
}

export const exported = work(1)

export function maybe(coroutine: Coroutine<void> | undefined): void {
  coroutine && createTask(coroutine)
}

export function accepts(awaitable: Awaitable<number>): void {
  awaitable
}

export const hooks: { onDone(): void } = {
  onDone() { void sleep(1) },
}

function* count(): Generator<number, void, unknown> {
  yield 1
}

function* echo(): Generator<string, void, string> {
  const said = yield 'say'
  yield said
}

interface Suspension { since: number }
function* anothersSuspension(): Generator<Suspension, void, unknown> {
  yield { since: 1 }
}

async function* lines(): AsyncGenerator<string> {
  yield await Promise.resolve('a')
}

export function plainGenerators(): void {
  count()
  echo()
  anothersSuspension()
  lines()
  const unread = count()
  items.forEach(() => count())
  items.forEach(count)
  items[Symbol.iterator]()
  new Map<string, number>().values()
  anything()
  anything.sleep(1)
  items.forEach(() => anything())
}

export function* yieldsOther(): Generator<unknown, void, unknown> {
  yield count()
  yield 1
}

export function* yieldsCoroutinesByDeclaration(): Generator<Coroutine<number>, void, unknown> {
  yield work(1)
}

export const yieldsCoroutinesByContext: () => Iterable<Coroutine<number>> = function* () {
  yield work(1)
}

export function* itemsAreTasks(): AsyncGen<Task<number>> {
  yield createTask(work(1))
  yield* sleep(1)
  yield task
}

export function* iterates(): Coroutine<void> {
  yield* asyncFor(itemsAreTasks(), function* (item) { items.push(yield* item) })
  const found = yield* asyncFor(itemsAreTasks(), function* (item) { if (item.done()) return item })
  items.push(found === undefined ? 0 : yield* found)
}
