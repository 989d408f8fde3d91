// examples/programs/jobs.ts, run as a reader would, with faults: Ctrl-C at any moment, killed processes and broken connections.
// Whatever happens, each job that was put is done, given up, or left in the queue, and nothing goes on.
import t, { type Test } from 'tap'
import { run } from '../../src/index.ts'
import { RedisQueue, type RedisQueueStats } from '../../src/redis/index.ts'
import { eventually } from '../support/eventually.ts'
import { noRedis, slowProxy, startRedis } from '../support/redis.ts'
import { runNode, WITH_TYPESCRIPT } from '../support/server-process.ts'

const SETTINGS = ['--lease', '0.5', '--limit', '0.1', '--backoff', '0.02']

interface Running {
  log: () => string
  /** The numbers in lines that begin with this word. */
  numbers: (word: 'put' | 'done') => number[]
  signal: (signal: NodeJS.Signals) => void
  ended: Promise<number | null>
}

function start(t: Test, ...args: string[]): Running {
  const { child, log, ended } = runNode(t, [...WITH_TYPESCRIPT, 'examples/programs/jobs.ts', ...SETTINGS, ...args])
  const numbers = (word: string): number[] => [...log().matchAll(new RegExp(`^${word} (\\d+)$`, 'gm'))].map(([, number]) => Number(number))
  return { log, numbers, ended, signal: (signal) => void child.kill(signal) }
}

interface Summary { put: number; done: number; failed: number; dead: number; left: number }

function summaryOf({ log }: Running): Summary {
  const found = /^put (\d+), did (\d+), (\d+) tries failed, gave up (\d+), left (\d+)$/m.exec(log())
  if (found === null) throw new Error(`there is no summary: ${log()}`)
  const [put, done, failed, dead, left] = found.slice(1).map(Number) as [number, number, number, number, number]
  return { put, done, failed, dead, left }
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, at) => from + at)
const isHopeless = (number: number): boolean => number % 10 === 7
const unique = (numbers: number[]): number[] => [...new Set(numbers)].sort((a, b) => a - b)

/** What the queue of this name has, and the jobs that were given up. */
async function inRedis(url: string, name: string): Promise<{ stats: RedisQueueStats; dead: number[] }> {
  const queue = new RedisQueue<{ number: number }>(name, { url })
  try {
    return await run((function* () {
      return { stats: yield* queue.stats(), dead: unique((yield* queue.deadLetters.list()).map(({ item }) => item!.number)) }
    })())
  } finally {
    await queue[Symbol.asyncDispose]()
  }
}

t.test('in memory', async (t) => {
  await t.test('does what can be done, repeats, gives up and says so', async (t) => {
    const program = start(t, '--jobs', '40')
    t.equal(await program.ended, 0, program.log())
    t.same(summaryOf(program), { put: 40, done: 36, failed: 4 + 4 + 12, dead: 4, left: 0 })
    t.same(unique(program.numbers('done')), range(0, 40).filter((number) => !isHopeless(number)))
    t.equal(program.log().match(/^gave up job \d*7: Error: no such address$/gm)?.length, 4)
  })

  await t.test('after Ctrl-C at any moment, each job is accounted for', async (t) => {
    for (let round = 0; round < 8; round++) {
      const program = start(t, '--jobs', '60', '--workers', String(1 + round % 4), '--grace', String(round % 2))
      const moment = Math.floor(Math.random() * 40)
      await eventually(() => program.numbers('done').length >= moment && program.numbers('put').length > 0)
      program.signal(round % 3 === 0 ? 'SIGTERM' : 'SIGINT')
      t.equal(await program.ended, 0, program.log())
      const { put, done, dead, left } = summaryOf(program)
      t.equal(put, program.numbers('put').length)
      t.equal(done, program.numbers('done').length)
      t.equal(done + dead + left, put, `after ${moment} jobs`)
    }
  })

  await t.test('refuses a setting that does not exist, or that is no number', async (t) => {
    for (const [args, message] of [[['--job', '1'], /Unknown option '--job'/], [['--jobs', 'x'], /--jobs takes a number of at least 0, got x/]] as const) {
      const program = start(t, ...args)
      t.equal(await program.ended, 1)
      t.match(program.log(), message)
    }
  })
})

t.test('in Redis', { skip: noRedis }, async (t) => {
  const redis = await startRedis(t)

  await t.test('after Ctrl-C at any moment, what was not done is in the queue, and the next process does it', async (t) => {
    for (let round = 0; round < 5; round++) {
      const queue = ['--redis', redis.url, '--name', `stopped-${round}`]
      const program = start(t, ...queue, '--jobs', '40', '--grace', String(round % 2))
      const moment = Math.floor(Math.random() * 30)
      await eventually(() => program.numbers('done').length >= moment && program.numbers('put').length > 0)
      program.signal('SIGINT')
      t.equal(await program.ended, 0, program.log())
      const { stats } = await inRedis(redis.url, `stopped-${round}`)
      t.match(stats, { taken: 0 }, 'no worker has one')
      const next = start(t, ...queue, '--first', '1000', '--jobs', '1')
      t.equal(await next.ended, 0, next.log())
      const after = await inRedis(redis.url, `stopped-${round}`)
      t.equal(after.stats.unfinished, 0)
      const put = unique([...program.numbers('put'), ...next.numbers('put')])
      const over = unique([...program.numbers('done'), ...next.numbers('done'), ...after.dead])
      // A put that Ctrl-C interrupted may have come before its answer.
      t.same(put.filter((number) => !over.includes(number)), [], 'nothing is lost')
      t.same(after.dead.filter((number) => !isHopeless(number)), [])
    }
  })

  await t.test('a process that is killed at any moment loses nothing', async (t) => {
    for (let round = 0; round < 5; round++) {
      const queue = ['--redis', redis.url, '--name', `killed-${round}`, '--tries', '9']
      const victim = start(t, ...queue, '--jobs', '30')
      const other = start(t, ...queue, '--jobs', '30', '--first', '100')
      const moment = 1 + Math.floor(Math.random() * 20)
      await eventually(() => victim.numbers('done').length >= moment)
      victim.signal('SIGKILL')
      await victim.ended
      t.equal(await other.ended, 0, other.log())
      const { stats, dead } = await inRedis(redis.url, `killed-${round}`)
      t.match(stats, { unfinished: 0 })
      const over = unique([...victim.numbers('done'), ...other.numbers('done'), ...dead])
      t.same([...victim.numbers('put'), ...other.numbers('put')].filter((number) => !over.includes(number)), [], `killed after ${moment} jobs`)
      t.same(dead.filter((number) => !isHopeless(number)), [])
    }
  })

  await t.test('when its connection breaks again and again, each job is done once', async (t) => {
    const proxy = await slowProxy(t, redis.port, 1)
    const program = start(t, '--redis', proxy.url, '--name', 'cut', '--jobs', '40', '--lease', '5')
    for (let cuts = 0; cuts < 12; cuts++) {
      const before = program.log()
      await eventually(() => program.log() !== before || /^put \d+, did/m.test(program.log()))
      proxy.cut()
    }
    t.equal(await program.ended, 0, program.log())
    t.match(summaryOf(program), { put: 40, done: 36, dead: 4, left: 0 })
    t.same(program.numbers('done').sort((a, b) => a - b), range(0, 40).filter((number) => !isHopeless(number)))
  })

  await t.test('without a Redis, it says so', async (t) => {
    const program = start(t, '--redis', 'redis://127.0.0.1:1')
    t.equal(await program.ended, 1)
    t.match(program.log(), /^Error: <RedisQueue jobs maxsize=100>: cannot use Redis at 127\.0\.0\.1:1: .*ECONNREFUSED.*\n$/)
  })
})
