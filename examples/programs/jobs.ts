// A queue of jobs, as one would port it from Python: a producer, workers, retries with a back-off, a time limit for each job, an
// end that loses nothing, and a summary. The queue is in memory, or in Redis for as many processes as you like:
//
//   node --import ./tools/ts.mjs examples/programs/jobs.ts --jobs 50 --workers 4
//   node --import ./tools/ts.mjs examples/programs/jobs.ts --jobs 50 --redis redis://127.0.0.1:6379
//   node --import ./tools/ts.mjs examples/programs/jobs.ts --jobs 0 --redis redis://127.0.0.1:6379     only works, until Ctrl-C
//
// Ctrl-C: workers finish what they have within the grace, and give the rest back. A second Ctrl-C ends the program at once.
import { parseArgs } from 'node:util'
import {
  CancelledError, createTask, Event, FIRST_COMPLETED, fromPromise, print, Queue, run, sleep, taskGroup, timeout, wait,
  type Coroutine, type Task,
} from '../../src/index.ts'
import type { RedisQueue } from '../../src/redis/index.ts'

interface Settings {
  /** The address of a Redis; `null` for a queue in memory. */
  redis: string | null
  /** Of the queue in Redis. */
  name: string
  /** How many jobs to put. 0: only work, until stopped. */
  jobs: number
  /** The number of the first job. */
  first: number
  workers: number
  /** How often a job is tried. */
  tries: number
  /** Seconds: the limit of one try, the wait before the second one, how long workers may finish after Ctrl-C, and the lease. */
  limit: number
  backoff: number
  grace: number
  lease: number
}

const DEFAULTS: Settings = { redis: null, name: 'jobs', jobs: 20, first: 0, workers: 3, tries: 3, limit: 0.2, backoff: 0.05, grace: 1, lease: 5 }

interface Job {
  number: number
}

interface Summary {
  /** Jobs that this process put, and that it did. */
  put: number
  done: number
  /** Tries that failed here. */
  failed: number
  /** In the whole queue: jobs that were given up, and jobs that are left. */
  dead: number
  left: number
}

/** What the program needs of a queue. `RedisQueue` has it nearly like this. */
interface Jobs {
  put(job: Job): Coroutine<void>
  get(): Coroutine<Job>
  /** How many tries of a job have failed. */
  failures(job: Job): number
  taskDone(job: Job): void
  taskFailed(error: unknown, job: Job): void
  giveBack(job: Job): void
  join(): Coroutine<void>
  count(): Coroutine<{ dead: number; left: number }>
  close(): Coroutine<void>
}

// The queue in memory: asyncio's, with a dictionary for what asyncio's does not know.

class MemoryJobs implements Jobs {
  readonly #queue = new Queue<Job>(100)
  /** Unfinished jobs, and how often each has failed. */
  readonly #open = new Map<Job, number>()
  readonly #retries = new Set<Task<void>>()
  readonly #tries: number
  readonly #backoff: number
  #dead = 0

  constructor({ tries, backoff }: Settings) {
    this.#tries = tries
    this.#backoff = backoff
  }

  *put(job: Job): Coroutine<void> {
    yield* this.#queue.put(job)
    this.#open.set(job, 0)
  }

  get(): Coroutine<Job> {
    return this.#queue.get()
  }

  failures(job: Job): number {
    return this.#open.get(job) ?? 0
  }

  taskDone(job: Job): void {
    this.#open.delete(job)
    this.#queue.taskDone()
  }

  taskFailed(error: unknown, job: Job): void {
    const failures = this.failures(job) + 1
    if (failures < this.#tries) {
      this.#open.set(job, failures)
      this.#putLater(job, this.#backoff * 2 ** (failures - 1))
      return
    }
    console.error(`gave up job ${job.number}: ${String(error)}`)
    this.#dead++
    this.taskDone(job)
  }

  giveBack(job: Job): void {
    this.#putLater(job, 0)
  }

  /** It counts as unfinished all the time, so `join` waits for it. */
  #putLater(job: Job, seconds: number): void {
    const queue = this.#queue
    const task = createTask((function* () {
      yield* sleep(seconds)
      yield* queue.put(job)
      queue.taskDone()
    })(), { name: `retry of ${job.number}` })
    this.#retries.add(task)
    task.addDoneCallback(() => this.#retries.delete(task))
  }

  join(): Coroutine<void> {
    return this.#queue.join()
  }

  *count(): Coroutine<{ dead: number; left: number }> {
    return { dead: this.#dead, left: this.#open.size }
  }

  *close(): Coroutine<void> {
    const retries = [...this.#retries]
    for (const task of retries) task.cancel()
    if (retries.length > 0) yield* wait(retries)
  }
}

// The queue in Redis.

class RedisJobs implements Jobs {
  readonly #queue: RedisQueue<Job>

  constructor(queue: RedisQueue<Job>) {
    this.#queue = queue
  }

  /** Its package is loaded only where it is needed. */
  static *open(url: string, { name, tries, backoff, lease }: Settings): Coroutine<RedisJobs> {
    const { RedisQueue } = yield* fromPromise(import('../../src/redis/index.ts'))
    const isItem = (value: unknown): boolean => Number.isInteger((value as Job | null)?.number)
    return new RedisJobs(new RedisQueue<Job>(name, { url, tries, backoff, lease, maxsize: 100, isItem }))
  }

  put(job: Job): Coroutine<void> {
    return this.#queue.put(job, { name: `job ${job.number}` })
  }

  get(): Coroutine<Job> {
    return this.#queue.get()
  }

  failures(job: Job): number {
    return this.#queue.delivery(job).failures
  }

  taskDone(job: Job): void {
    this.#queue.taskDone(job)
  }

  taskFailed(error: unknown, job: Job): void {
    this.#queue.taskFailed(error, job)
  }

  giveBack(job: Job): void {
    this.#queue.giveBack(job)
  }

  join(): Coroutine<void> {
    return this.#queue.join()
  }

  *count(): Coroutine<{ dead: number; left: number }> {
    const { deadLetters, unfinished } = yield* this.#queue.stats()
    return { dead: deadLetters, left: unfinished }
  }

  close(): Coroutine<void> {
    return this.#queue.close()
  }
}

// The work. It is made up: most jobs succeed, some at the second try, some never, and some hang.

function* perform({ number }: Job, failures: number): Coroutine<void> {
  yield* sleep(0.002 + (number % 7) / 500)
  switch (number % 10) {
    case 3:
      if (failures === 0) throw new Error('the other side is busy')
      break
    case 5:
      if (failures === 0) yield* sleep(3600)
      break
    case 7:
      throw new Error('no such address')
  }
}

class Worker {
  isBusy = false
  readonly #jobs: Jobs
  readonly #settings: Settings
  readonly #summary: Summary

  constructor(jobs: Jobs, settings: Settings, summary: Summary) {
    this.#jobs = jobs
    this.#settings = settings
    this.#summary = summary
  }

  /** Works until `stop` is set. When cancelled, it gives its job back. */
  *run(stop: Event): Coroutine<void> {
    while (!stop.isSet()) {
      const job = yield* this.#jobs.get()
      this.isBusy = true
      yield* this.#perform(job)
      this.isBusy = false
    }
  }

  *#perform(job: Job): Coroutine<void> {
    const jobs = this.#jobs
    try {
      yield* timeout(this.#settings.limit, () => perform(job, jobs.failures(job)))
    } catch (error) {
      if (error instanceof CancelledError) {
        jobs.giveBack(job)
        throw error
      }
      this.#summary.failed++
      jobs.taskFailed(error, job)
      return
    }
    print('done', job.number)
    this.#summary.done++
    jobs.taskDone(job)
  }
}

// The program.

function* produce(jobs: Jobs, { jobs: count, first }: Settings, summary: Summary): Coroutine<void> {
  for (let number = first; number < first + count; number++) {
    yield* jobs.put({ number })
    print('put', number)
    summary.put++
  }
}

/** Returns when everything is done, or soon after `stop` was set. Throws an ExceptionGroup if the queue cannot be used. */
function* work(jobs: Jobs, settings: Settings, stop: Event, summary: Summary): Coroutine<void> {
  yield* taskGroup(function* (group) {
    const workers = Array.from({ length: settings.workers }, (_, at) => {
      const worker = new Worker(jobs, settings, summary)
      return { worker, task: group.createTask(worker.run(stop), { name: `worker ${at}` }) }
    })
    const producing = group.createTask(produce(jobs, settings, summary), { name: 'producer' })
    const ending = group.createTask((function* () {
      yield* producing
      if (settings.jobs > 0) yield* jobs.join()
      else yield* stop.wait()
    })(), { name: 'end' })
    yield* wait([ending, group.createTask(stop.wait(), { name: 'stop' })], { returnWhen: FIRST_COMPLETED })
    if (stop.isSet()) {
      producing.cancel()
      for (const { worker, task } of workers) if (!worker.isBusy) task.cancel()
      yield* wait(workers.map(({ task }) => task), { timeout: settings.grace })
    }
    // What is still waiting, and what takes longer than the grace.
    group.cancel()
  })
}

function* main(settings: Settings, stop: Event): Coroutine<Summary> {
  const summary: Summary = { put: 0, done: 0, failed: 0, dead: 0, left: 0 }
  const jobs = settings.redis === null ? new MemoryJobs(settings) : yield* RedisJobs.open(settings.redis, settings)
  try {
    yield* work(jobs, settings, stop, summary)
    return { ...summary, ...(yield* jobs.count()) }
  } finally {
    yield* jobs.close()
  }
}

/** The settings in the arguments of a command line. Throws an error for one that does not exist, or that is no number. */
function settingsOf(args: string[]): Settings {
  const options = Object.fromEntries(Object.keys(DEFAULTS).map((name) => [name, { type: 'string' as const }]))
  const { values } = parseArgs({ args, options })
  const settings: Record<string, unknown> = { ...DEFAULTS }
  for (const [name, value] of Object.entries(values)) {
    const isText = name === 'redis' || name === 'name'
    if (!isText && !(Number(value) >= 0)) throw new RangeError(`--${name} takes a number of at least 0, got ${String(value)}`)
    settings[name] = isText ? value : Number(value)
  }
  return settings as unknown as Settings
}

// Before `run`, which then leaves SIGINT to the program.
const stop = new Event()
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (stop.isSet()) process.exit(130)
    stop.set()
  })
}

try {
  const { put, done, failed, dead, left } = await run(main(settingsOf(process.argv.slice(2)), stop), { name: 'main' })
  print(`put ${put}, did ${done}, ${failed} tries failed, gave up ${dead}, left ${left}`)
} catch (error) {
  // Of a group, each error says the same: the queue cannot be used.
  console.error(String(error instanceof AggregateError ? error.errors[0] : error))
  process.exitCode = 1
}
