// A program that other programs keep from the processor: that is reported as what it is, and a real stall right after it, too.
import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { cpus } from 'node:os'
import t from 'tap'
import type { StreamEvent } from '../../src/events/schema.ts'
import { eventually } from '../support/eventually.ts'
import { start, subscribe } from './support.ts'

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** What is missing to keep the processor from a thread. */
function cannotStarve(): string | false {
  if (process.platform !== 'linux') return 'only Linux tells for how long a thread got no processor'
  const missing = ['taskset', 'chrt'].filter((program) => spawnSync(program, ['--version']).status !== 0)
  return missing.length === 0 ? false : `${missing.join(' and ')} of util-linux cannot be run here`
}

t.test('a thread that gets no processor is reported as such', { skip: cannotStarve() }, async (t) => {
  const program = start(t, 'test/observe/programs/starved.ts')
  t.ok(await eventually(() => program.log().includes('observer')), program.log())
  const [, observer] = /observer (\S+)/.exec(program.log())!
  const watching = await subscribe(observer!, '?types=loop.blocked,loop.unblocked,warning')
  await pause(500)
  const from = watching.messages.length
  const pid = String(program.child.pid)
  const compete = (ms: number): ChildProcess[] =>
    [0, 1, 2].map(() => spawn('taskset', ['-c', '0', process.execPath, '-e', `const end = Date.now() + ${ms}; console.log(1); while (Date.now() < end);`]))
  const starve = (): void => {
    execFileSync('taskset', ['-cp', '0', pid])
    execFileSync('chrt', ['-i', '-p', '0', pid])
  }
  starve()
  // For longer than the observer's notes go back.
  await Promise.all(compete(6000).map((rival) => once(rival, 'exit')))
  await pause(500)
  const told = watching.messages.slice(from)
  t.ok(told.some((event) => event.type === 'loop.unblocked' && event.kind === 'starved' && event.name === 'no processor for the thread'), 'it is told')
  // It has no processor for seconds. Its own work afterwards may take a moment.
  t.same(told.filter((event) => event.type === 'warning' || (event.type === 'loop.unblocked' && event.kind !== 'starved' && event.seconds >= 0.1)), [], 'and not as the program\'s fault')
  // After the next times, the first thing it does is to block: an earlier wait is no excuse.
  const rivals = compete(60_000)
  await Promise.all(rivals.map(({ stdout }) => once(stdout!, 'data')))
  t.teardown(() => { for (const rival of rivals) rival.kill('SIGKILL') })
  for (let times = 1; times <= 3; times++) {
    starve()
    await pause(700)
    const before = watching.messages.length
    execFileSync('taskset', ['-cp', `0-${cpus().length - 1}`, pid])
    execFileSync('chrt', ['-o', '-p', '0', pid])
    program.child.kill('SIGUSR2')
    // A busy machine may take the processor away from the real stall as well: its own part counts.
    const isReal = (event: StreamEvent): boolean => event.type === 'loop.unblocked' && event.seconds - (event.figures?.starved ?? 0) >= 0.1
    const found = await eventually(() => watching.messages.slice(before).some(isReal))
    const ended = watching.messages.slice(before).flatMap((event) => (event.type === 'loop.unblocked' ? [`${event.kind} ${event.name} ${event.seconds} ${JSON.stringify(event.figures)}`] : []))
    t.ok(found, `a real stall is reported: ${ended.join('\n')}`)
    const late = Number([...program.log().matchAll(/^late (\S+)$/gm)].at(-1)![1])
    t.ok(late > 0.1, `it did starve: it came round ${late} s too late`)
  }
})
