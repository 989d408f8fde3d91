// Three processes, each with producers and consumers on one queue in Redis; one of them is killed at a random moment. Fifty
// times: nothing that Redis had acknowledged is lost, nor anything of the processes that lived.
import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import { noRedis, startRedis } from '../support/redis.ts'
import { bundleMember, Member } from './members.ts'

const ROUNDS = 50
/** Seconds. */
const LEASE = 0.25
const PACE = 0.008
const ITEMS = 8
/** The kill happens within this many milliseconds of the start: usually everything is put and got by then. */
const LATEST_KILL = 120

// LOOPSCOPE_SEED repeats the choices; when a process dies relative to its work still depends on the machine.
const seed = Number(process.env['LOOPSCOPE_SEED'] ?? Date.now() % 1_000_000)

function randoms(state: number): () => number {
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let x = Math.imul(state ^ (state >>> 15), 1 | state)
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32
  }
}

const itemsOf = (members: readonly Member[], word: string): string[] =>
  members.flatMap(({ lines }) => lines.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1)))

t.test('one of three processes is killed, fifty times', { skip: noRedis, timeout: 110_000 }, async (t) => {
  const redis = await startRedis(t)
  const program = await bundleMember(t.testdir())
  const random = randoms(seed)
  const started = performance.now()
  const all: Member[] = []
  t.teardown(() => Promise.all(all.map((member) => member.kill())))
  const start = (): Member => {
    const member = new Member(program, redis.url)
    all.push(member)
    return member
  }
  const members = [start(), start(), start()]
  const spares = [start(), start()]
  const tally = { acknowledged: 0, consumed: 0, redelivered: 0, unacknowledged: 0, lost: 0, held: 0 }

  for (let round = 0; round < ROUNDS; round++) {
    const [victimAt, moment, maxsize] = [Math.floor(random() * 3), random() * LATEST_KILL, [0, 1, 4][Math.floor(random() * 3)] as number]
    for (const member of members) {
      member.lines.length = 0
      member.tell({ do: 'open', name: `round-${round}`, lease: LEASE, maxsize })
    }
    await Promise.all(members.map((member) => member.said('opened')))
    for (const [at, member] of members.entries()) {
      for (const producer of [0, 1]) member.tell({ do: 'produce', item: `${at}.${producer}.`, items: ITEMS, pace: PACE })
      for (let consumer = 0; consumer < 2; consumer++) member.tell({ do: 'consume', pace: PACE })
    }
    await pause(moment)
    const victim = members[victimAt] as Member
    await victim.kill()
    const living = members.filter((member) => member !== victim)
    await Promise.all(living.map((member) => member.said('made', 2)))
    for (const member of living) member.tell({ do: 'join' })
    await Promise.all(living.map((member) => member.said('joined')))
    for (const member of living) member.tell({ do: 'close' })
    await Promise.all(living.map((member) => member.said('closed')))

    const put = itemsOf(members, 'put')
    const got = itemsOf(members, 'got')
    const consumed = new Set(got)
    const missing = put.filter((item) => !consumed.has(item))
    const made = living.map((member) => member.count('put '))
    if (missing.length > 0 || made.some((count) => count !== 2 * ITEMS)) {
      t.fail(`round ${round}: lost ${missing.join(' ')}`, { seed, victimAt, moment, maxsize, made, lines: members.map(({ lines }) => lines) })
    }
    const failures = members.flatMap(({ lines }) => lines.filter((line) => line.startsWith('failed')))
    if (failures.length > 0) t.fail(`round ${round}: ${failures.join('; ')}`)
    const counts = living.map(({ lines }) => JSON.parse(lines.find((line) => line.startsWith('closed'))!.slice('closed '.length)) as { redelivered: number; lost: number })
    tally.acknowledged += put.length
    tally.consumed += consumed.size
    tally.redelivered += counts.reduce((sum, { redelivered }) => sum + redelivered, 0)
    tally.unacknowledged += [...consumed].filter((item) => !put.includes(item)).length
    tally.held += got.length - consumed.size
    tally.lost += missing.length
    members[victimAt] = spares.shift() as Member
    spares.push(start())
  }

  const seconds = (performance.now() - started) / 1000
  t.comment(`seed ${seed}: ${ROUNDS} kills in ${seconds.toFixed(1)} s; ${tally.acknowledged} items acknowledged, ${tally.consumed} consumed (${tally.unacknowledged} of them put, with the answer cut off), `
    + `${tally.redelivered} delivered again (${tally.held} of them had been consumed before), ${tally.lost} lost`)
  t.equal(tally.lost, 0, `none of ${tally.acknowledged} acknowledged items is lost`)
  t.equal(tally.consumed, tally.acknowledged + tally.unacknowledged)
  t.ok(tally.acknowledged > ROUNDS * 2 * 2 * ITEMS, 'those that died had put some as well')
  t.ok(tally.redelivered > 0, 'some died with items in hand')
})
