// Processes with wall clocks that differ by hours, and a Redis that loses its data: which life of a loop's name is the later
// one never depends on clocks.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import t, { type Test } from 'tap'
import { noRedis, startRedis } from '../support/redis.ts'
import { eventually } from '../support/eventually.ts'
import { join } from './light.ts'
import { bundleMember } from './members.ts'
import { command } from './servers.ts'

const HOUR = 3_600_000

interface Said {
  now: number
  infos: { loop: string; state: string; epoch: string; ago: number[] }[]
}

/** Starts a process with a clock that is off; `said` returns its last report. */
function start(t: Test, program: string, url: string, name: string, hours: number): { said: () => Said | null; kill: () => Promise<void> } {
  const child = spawn('env', ['-u', 'NODE_OPTIONS', process.execPath, program, url, name, String(hours)], { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(child, 'close')
  let said: Said | null = null
  createInterface({ input: child.stdout }).on('line', (line) => { said = JSON.parse(line) as Said })
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL')
    await ended
  }
  t.teardown(kill)
  return { said: () => said, kill }
}

t.test('wall clocks that differ', { skip: noRedis, timeout: 220_000 }, async (t) => {
  const redis = await startRedis(t)
  const program = await bundleMember(t.testdir(), 'light-member')
  const a = join(redis.url, 'a')
  t.teardown(() => a.cluster.close())
  let b = start(t, program, redis.url, 'b', 0)
  const becomes = (states: string): Promise<boolean> => eventually(() => a.states() === states)
  t.ok(await becomes('b live'), a.states())
  let { epoch } = a.cluster.infos()[0]!

  async function isThere(title: string): Promise<void> {
    await t.test(title, async (t) => {
      t.ok(await eventually(() => a.cluster.infos().some((info) => info.loop === 'b' && info.state === 'live' && info.epoch !== epoch)), JSON.stringify(a.cluster.infos()))
      const record = a.cluster.find('b')!
      epoch = record.history.epoch
      const { received } = record
      t.ok(await eventually(() => a.cluster.find('b')!.received > received), 'its events come')
    })
  }

  await t.test('a process with a clock that is hours ahead knows which one has ended, and since when', async (t) => {
    await b.kill()
    t.ok(await becomes('b lost'), a.states())
    const late = start(t, program, redis.url, 'late', 3)
    t.ok(await becomes('b lost, late live'), a.states())
    const there = (): Said['infos'][number] | undefined => late.said()?.infos.find(({ loop }) => loop === 'b')
    t.ok(await eventually(() => there()?.state === 'lost'), JSON.stringify(late.said()))
    t.ok(Math.abs(late.said()!.now - Date.now() - 3 * HOUR) < HOUR, 'its clock is that far ahead')
    for (const ago of there()!.ago) t.ok(ago >= 0 && ago < HOUR, `${ago} ms ago`)
    await late.kill()
    t.ok(await becomes('b lost, late lost'), a.states())
    for (const { since, seenAt } of a.cluster.infos()) {
      for (const time of [since, seenAt]) t.ok(Math.abs(Date.now() - Date.parse(time)) < HOUR, time)
    }
  })

  b = start(t, program, redis.url, 'b', -5)
  await isThere('one that is restarted with an older clock is live')
  await b.kill()
  await command(redis, 'FLUSHALL')
  b = start(t, program, redis.url, 'b', -6)
  await isThere('one that is restarted when Redis has forgotten all lives is live as well')
})
