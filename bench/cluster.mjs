// What one process can handle, and what three can with Redis between them: events a second, their cost in each process, their
// delay, and the number of watchers. Every rate is counted where the events arrive. Ends within three minutes.
//
//   node bench/cluster.mjs [--seconds S] [--json FILE] [--markdown FILE] [--from FILE]
import { createClient } from '@redis/client'
import { fork } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { find, freePorts, PROGRAMS, running, startRedis } from '../tools/cluster/parts.mjs'
import { describeMachine, machine } from './lib/machine.mjs'
import { buildLoopscope } from './lib/prepare.mjs'
import { writeMarkdown } from './lib/report.mjs'
import { report } from './cluster/report.mjs'

const MOST_MS = 180_000
const MARKS = ['<!-- measured: node bench/cluster.mjs --markdown -->', '<!-- end of measured: cluster -->']
/** Events a second of each loop, until not all arrive. */
const RATES = [10_000, 20_000, 40_000, 80_000, 120_000, 200_000]
/** Watchers at each observer, and the messages a second for all of them together. */
const CROWDS = [{ watchers: 100, messages: 400_000 }, { watchers: 1000, messages: 400_000 }]
const SETTLE_MS = 600
/** What is still on its way when a step ends has this many ms to arrive. */
const DRAIN_MS = 3000
const QUIET_MS = 200
/** A watcher that is further behind, in seconds, does not keep up. */
const BEHIND = 1

const { values: options } = parseArgs({
  options: { seconds: { type: 'string', default: '1.5' }, json: { type: 'string' }, markdown: { type: 'string' }, from: { type: 'string' } },
})
const seconds = Number(options.seconds)
if (!(seconds >= 0.5 && seconds <= 10)) throw new Error(`--seconds takes a number from 0.5 to 10, not ${options.seconds}`)

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
const children = new Set()

function child(file, ...args) {
  const one = fork(new URL(file, import.meta.url), args)
  children.add(one)
  one.once('exit', () => children.delete(one))
  return one
}

function next(one, what) {
  return new Promise((resolve, reject) => {
    const onExit = (code) => reject(new Error(`a process of the bench ended early, with ${code}`))
    one.once('exit', onExit)
    one.once('message', (message) => {
      one.off('exit', onExit)
      resolve(message)
    })
    if (what !== undefined) one.send(what, (error) => error && reject(error))
  })
}

async function program(build, name, redisUrl) {
  const one = child('./cluster/program.mjs', build, name, redisUrl ?? '-')
  const { url, zero } = await next(one)
  return { name, one, port: new URL(url).port, zero, cpu: async () => (await next(one, { cpu: true })).cpu }
}

/** An observer's metrics by name, without those with labels. */
async function figuresOf({ port }) {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
  return Object.fromEntries([...text.matchAll(/^(\w+) (\S+)$/gm)].map(([, name, value]) => [name, Number(value)]))
}

async function redisNow(client) {
  const text = await client.info()
  const value = (name) => Number(new RegExp(`^${name}:(\\S+)`, 'm').exec(text)?.[1])
  return { cpu: value('used_cpu_sys') + value('used_cpu_user'), memory: value('used_memory'), network: value('total_net_input_bytes') + value('total_net_output_bytes') }
}

/** Waits until two results in a row are the same; returns it. */
async function settled(look) {
  const deadline = performance.now() + DRAIN_MS
  for (let last = await look(); ; ) {
    await pause(QUIET_MS)
    const now = await look()
    if (now === last || performance.now() > deadline) return now
    last = now
  }
}

/**
 * Makes `rate` events a second on each of `makers`, watched by `groups`; returns what happened in the window, and how many
 * of all messages never arrived. The watchers are there from the first event to the last.
 */
async function measure({ makers, programs, rate, groups, redis }) {
  const crowd = child('./cluster/watchers.mjs', JSON.stringify(groups.map(({ at, of, count }) => (
    { port: at.port, path: of === at && of.own ? '/events' : `/events?loop=${of.name}`, count, zero: of.zero }
  ))))
  const made = async (of) => (await figuresOf(of)).loopscope_events_total
  const frames = async () => (await next(crowd, 'count')).frames
  try {
    await next(crowd)
    const base = { frames: await settled(frames), made: await Promise.all(groups.map(({ of }) => made(of))) }
    for (const { one } of makers) one.send({ rate })
    await pause(SETTLE_MS)
    const look = async () => ({
      cpu: await Promise.all(programs.map((one) => one.cpu())), made: (await Promise.all(makers.map(made))).reduce((sum, one) => sum + one, 0),
      redis: redis === null ? null : await redisNow(redis), at: performance.now(),
    })
    const before = await look()
    await next(crowd, 'begin')
    await pause(seconds * 1000)
    const arrived = await next(crowd, 'end')
    const after = await look()
    const took = (after.at - before.at) / 1000
    for (const { one } of makers) one.send({ rate: 0 })
    const last = await settled(async () => (await Promise.all(groups.map(({ of }) => made(of)))).join())
    const wanted = last.split(',').reduce((sum, one, at) => sum + (Number(one) - base.made[at]) * groups[at].count, 0)
    const missing = wanted - (await settled(frames) - base.frames)
    return {
      rate, made: (after.made - before.made) / took, delivered: arrived.messages / arrived.seconds, wanted, missing, p50: arrived.p50, p99: arrived.p99,
      all: missing <= 0 && (arrived.p50 ?? 0) < BEHIND,
      cpu: Object.fromEntries(programs.map(({ name }, at) => [name, (after.cpu[at] - before.cpu[at]) / took])),
      redisCpu: redis === null ? null : (Number(after.redis?.cpu) - Number(before.redis?.cpu)) / took,
      redisBytes: redis === null ? null : (Number(after.redis?.network) - Number(before.redis?.network)) / took,
    }
  } finally {
    process.stderr.write('.')
    crowd.disconnect()
  }
}

/** One step for each rate, up to the first at which not everything arrives. */
async function ramp(of) {
  const steps = []
  for (const rate of RATES) {
    const step = await of(rate)
    steps.push(step)
    if (!step.all) break
  }
  return steps
}

/** How many bytes of Redis an event takes, and how many are kept of a loop. */
async function memoryOf(client, loop) {
  const key = `loopscope:events:${loop}`
  const bytes = await client.memoryUsage(key, { SAMPLES: 0 })
  const entries = await client.xRange(key, '-', '+')
  const kept = entries.reduce((sum, { message }) => sum + (message.to === undefined ? 0 : Number(message.to) - Number(message.from) + 1), 0)
  return { kept, bytes, each: bytes / kept, sent: entries.reduce((sum, { message }) => sum + (message.events ?? '').length, 0) / kept }
}

async function measureAll() {
  if (find('redis') === null) throw new Error(`no ${PROGRAMS.redis.names.join(' or ')}: apt install ${PROGRAMS.redis.debian}`)
  const build = buildLoopscope()
  const folder = mkdtempSync(join(tmpdir(), 'loopscope-bench-'))
  const [port] = await freePorts(1)
  const server = await startRedis({ port, folder })
  const redis = createClient({ url: `redis://127.0.0.1:${port}` })
  await redis.connect()
  try {
    const url = `redis://127.0.0.1:${port}`
    const alone = await program(build, 'alone', null)
    alone.own = true
    const [one, two, three] = await Promise.all(['one', 'two', 'three'].map((name) => program(build, name, url)))
    const members = [one, two, three]
    await pause(1500)
    const idle = await measure({ makers: [], programs: [alone, ...members], rate: 0, groups: [{ at: two, of: one, count: 1 }], redis })

    const single = await ramp((rate) => measure({ makers: [alone], programs: [alone], rate, groups: [{ at: alone, of: alone, count: 1 }], redis: null }))
    let memory = null
    const pair = await ramp(async (rate) => {
      const step = await measure({ makers: [one], programs: members, rate, groups: [{ at: two, of: one, count: 1 }], redis })
      const now = await memoryOf(redis, 'one')
      // After a loss its stream starts again.
      if (memory === null || now.kept > memory.kept) memory = now
      return step
    })
    const ring = members.map((at, n) => ({ at, of: members[(n + 1) % members.length], count: 1 }))
    const trio = await ramp((rate) => measure({ makers: members, programs: members, rate, groups: ring, redis }))
    const crowds = []
    for (const { watchers, messages } of CROWDS) {
      for (const [where, makers, programs, groups] of [
        ['its own loop, without Redis', [alone], [alone], [{ at: alone, of: alone, count: watchers }]],
        ['another process\' loop', [one], [one, two], [{ at: two, of: one, count: watchers }]],
        ['one loop, at three observers', [one], members, members.map((at) => ({ at, of: one, count: watchers }))],
      ]) {
        const all = watchers * groups.length
        const step = await measure({ makers, programs, rate: messages / all, groups, redis: makers[0] === alone ? null : redis })
        crowds.push({ where, watchers: all, observers: groups.length, ...step })
      }
    }
    return { machine: describeMachine(machine([], false)), redis: /redis_version:(\S+)/.exec(await redis.info())?.[1], seconds, idle, single, pair, trio, memory, crowds }
  } finally {
    redis.destroy()
    for (const one of children) one.kill()
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

const late = setTimeout(() => {
  console.error(`not done after ${MOST_MS / 1000} s`)
  process.exit(1)
}, MOST_MS)
process.on('exit', () => {
  for (const one of children) one.kill()
  for (const part of running) part.kill('SIGKILL')
})
const result = options.from === undefined ? await measureAll() : JSON.parse(readFileSync(options.from, 'utf8'))
clearTimeout(late)
if (options.from === undefined) process.stderr.write('\n')
console.log(report(result))
if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(result, null, 1)}\n`)
if (options.markdown !== undefined) writeMarkdown(options.markdown, report(result), MARKS)
