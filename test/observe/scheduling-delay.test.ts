// How long a thread had no processor: that of a whole process that is never idle, on one processor together with others.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { SchedulingDelay } from '../../src/observe/scheduling-delay.ts'

const SPIN = 'for (;;);'
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
const now = (): number => performance.now() / 1000
const missing = process.platform !== 'linux' || ['taskset', 'chrt'].some((program) => spawnSync(program, ['--version']).status !== 0)

t.test('a thread that gets no processor', { skip: missing && 'only Linux tells, and taskset and chrt are needed' }, async (t) => {
  const run = (command: string, ...args: string[]): ChildProcess => {
    const child = spawn(command, [...args, process.execPath, '-e', SPIN], { stdio: 'ignore' })
    t.teardown(() => { child.kill('SIGKILL') })
    return child
  }
  for (let rival = 0; rival < 2; rival++) run('taskset', '-c', '0')
  const starved = run('taskset', '-c', '0', 'chrt', '-i', '0')
  const schedulingDelay = new SchedulingDelay(`/proc/${starved.pid}/task/${starved.pid}`)
  await pause(500)
  const from = now()
  while (now() - from < 1.5) {
    schedulingDelay.note(now(), from)
    await pause(20)
  }

  await t.test('has none for as long as that lasts', async (t) => {
    const to = now()
    const seconds = schedulingDelay.present(from, to)
    t.ok(seconds > 0.9 * (to - from), `${seconds} of ${to - from} s`)
  })

  await t.test('is not excused by earlier waits', async (t) => {
    const to = now()
    t.ok(schedulingDelay.present(to - 0.5, to) < 1, 'of the last half second')
  })
  schedulingDelay.close()
})

t.test('a thread that gets no processor for longer than notes are kept has none all the time', async (t) => {
  const schedulingDelay = new SchedulingDelay(t.testdir({ schedstat: '0 0 1', stat: '1 (node) R 0' }))
  t.teardown(() => schedulingDelay.close())
  for (let time = 10; time < 30; time += 0.02) schedulingDelay.note(time, 10)
  t.ok(schedulingDelay.present(10, 30) > 18, `${schedulingDelay.present(10, 30)} of 20 s`)
})

t.test('an earlier wait does not excuse a step, however long ago the last note before it is', async (t) => {
  const thread = t.testdir({ schedstat: '' })
  const schedulingDelay = new SchedulingDelay(thread)
  t.teardown(() => schedulingDelay.close())
  const at = (now: number, ran: number, waited: number): number => {
    writeFileSync(join(thread, 'schedstat'), `${ran * 1e9} ${waited * 1e9} 1`)
    return now
  }
  schedulingDelay.note(at(1, 0, 0))
  // It had no processor until 1.69, nor had the thread that makes the notes; then it blocks from 1.7 to 2.1.
  schedulingDelay.note(at(1.72, 0.03, 0.69))
  t.notOk(schedulingDelay.excuses(1.7, 2.1, schedulingDelay.since(1.7, at(2.1, 0.41, 0.69))))
  // Here it waits again from 1.72 on.
  t.ok(schedulingDelay.excuses(1.7, 2.1, schedulingDelay.since(1.7, at(2.1, 0.03, 1.07))))
})

t.test('a wait before the first look counts, from what the thread noted itself when it began', async (t) => {
  const thread = t.testdir({ schedstat: `${1e9} ${2e9} 1` })
  const first = SchedulingDelay.noteOf(thread, 5)
  // Until 5.4 it ran for 0.1 s and waited for 0.3 s; the thread that looks begins only now.
  writeFileSync(join(thread, 'schedstat'), `${1.1e9} ${2.3e9} 9`)
  const late = new SchedulingDelay(thread)
  const schedulingDelay = new SchedulingDelay(thread, first)
  t.teardown(() => [late, schedulingDelay].forEach((one) => one.close()))
  t.equal(Math.round(late.since(5, 5.4) * 1000), 0)
  t.equal(Math.round(schedulingDelay.since(5, 5.4) * 1000), 300)
})

t.test('a step is excused that ran for a small part of its time: a garbage collection takes seconds on a starved thread', async (t) => {
  const schedulingDelay = new SchedulingDelay(null)
  t.ok(schedulingDelay.excuses(10, 15, 4.95))
  t.notOk(schedulingDelay.excuses(10, 15, 4.8))
  t.notOk(schedulingDelay.excuses(10, 10.4, 0.37))
  t.ok(schedulingDelay.excuses(10, 10.4, 0.39))
})
