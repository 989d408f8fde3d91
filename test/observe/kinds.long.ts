// Each kind of freeze, again and again, in a real program: it is called by its name, its length is right, and its profile has
// the shares of what ran. A machine that is busy with other things takes the processor away: where it did so for most of a
// stall, as the kernel says, that is its kind.
import { spawnSync } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import t from 'tap'
import { fetch } from 'undici'
import type { StallFigures, StallKind, StallShare } from '../../src/events/schema.ts'
import { eventually } from '../support/eventually.ts'
import { json, start, subscribe } from './support.ts'

const TIMES = 20

interface Told {
  ended: boolean
  id: number
  since: number
  seconds: number
  name: string
  kind: StallKind
  figures: StallFigures
  shares?: StallShare[]
  profile: string | null
}

interface Done {
  /** On the program's clock. */
  from: number
  seconds: number
}

const linux = process.platform !== 'linux' && 'only Linux says what a thread does'

t.test('kinds of freezes', async (t) => {
  const program = start(t, 'test/observe/programs/kinds.ts', {}, { args: [join(t.testdir({}), 'fifo')], stdio: ['pipe', 'pipe', 'pipe'] })
  const lines = createInterface({ input: program.child.stdout! })[Symbol.asyncIterator]()
  const next = async (): Promise<string> => (await lines.next()).value as string
  const [, observer] = /observer (\S+)/.exec(await next())!
  const stalls = async (): Promise<Told[]> => (await json<{ stalls: Told[] }>(`${observer}/stalls`)).stalls.filter(({ ended }) => ended)

  /** Freezes the program; returns what it did, and the longest stall that is reported for this time. */
  async function freeze(what: string, ms: number): Promise<{ done: Done; told: Told }> {
    program.child.stdin!.write(`${what} ${ms}\n`)
    const done = JSON.parse(await next()) as Done
    return { done, told: await toldOf(done.from, done.from + done.seconds) }
  }

  async function toldOf(from: number, to: number): Promise<Told> {
    let told: Told | undefined
    const found = await eventually(async () => {
      const during = (await stalls()).filter(({ since, seconds }) => since < to && since + seconds > from)
      told = during.sort((a, b) => b.seconds - a.seconds)[0]
      return told !== undefined && told.since + told.seconds > to - 0.1
    })
    if (!found) throw new Error(`no stall from ${from} to ${to} is told`)
    return told!
  }

  /** Whether it is called by its name, or the machine kept the processor from it. */
  const isNamed = (told: Told, kinds: readonly StallKind[]): boolean =>
    kinds.includes(told.kind) || (told.kind === 'starved' && (told.figures.starved ?? 0) >= told.seconds / 2)

  const KINDS: [what: string, ms: number, kinds: StallKind[], fn: RegExp][] = [
    ['javascript', 150, ['javascript'], /spin/],
    ['exec', 150, ['system-call'], /exec/],
    ['pipe', 150, ['system-call'], /readPipe/],
    ['atomics', 150, ['system-call'], /waitInAtomics/],
    ['collect', 400, ['garbage-collection'], /collect/],
    ['parse', 0, ['native', 'garbage-collection'], /./],
    ['chain', 200, ['microtasks'], /chain/],
    ['ticks', 200, ['microtasks'], /ticks/],
    ['immediates', 200, ['callbacks'], /spin/],
  ]
  for (const [what, ms, kinds, fn] of KINDS) {
    await t.test(`${kinds.join(' or ')}: ${what}, ${TIMES} times`, { skip: linux }, async (t) => {
      const others: string[] = []
      const counts: Partial<Record<StallKind, number>> = {}
      let unnamed = 0
      for (let time = 0; time < TIMES; time++) {
        const { told } = await freeze(what, ms)
        counts[told.kind] = (counts[told.kind] ?? 0) + 1
        if (!isNamed(told, kinds)) others.push(`${told.kind} ${told.name} ${told.seconds} ${JSON.stringify(told.figures)}`)
        // Without a processor it may have given no stack.
        if (told.kind !== 'starved' && !fn.test(JSON.stringify([told.name, told.shares]))) unnamed++
      }
      t.comment(`${what}: ${JSON.stringify(counts)}, without its function ${unnamed}`)
      t.ok(others.length <= TIMES / 20, others.join('\n'))
      t.ok(unnamed <= TIMES / 4, `${unnamed} of ${TIMES} without its function`)
    })
  }

  await t.test(`a stop of the process, ${TIMES} times`, { skip: linux }, async (t) => {
    const counts: Partial<Record<StallKind, number>> = {}
    for (let time = 0; time < TIMES; time++) {
      const known = (await stalls())[0]?.id ?? 0
      program.child.kill('SIGSTOP')
      await new Promise((resolve) => setTimeout(resolve, 300))
      program.child.kill('SIGCONT')
      let told: Told | undefined
      t.ok(await eventually(async () => (told = (await stalls()).find(({ id, seconds }) => id > known && seconds > 0.2)) !== undefined))
      counts[told!.kind] = (counts[told!.kind] ?? 0) + 1
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    t.comment(`stopped: ${JSON.stringify(counts)}`)
    t.ok((counts.suspended ?? 0) >= TIMES - 1, JSON.stringify(counts))
  })

  const cannotStarve = ['taskset', 'chrt'].some((command) => spawnSync(command, ['--version']).status !== 0) && 'taskset and chrt are needed'
  await t.test('a thread without a processor', { skip: linux || cannotStarve }, async (t) => {
    const pid = String(program.child.pid)
    const { child: rival } = start(t, 'test/observe/programs/rival.ts')
    for (const args of [['-cp', '0', String(rival.pid)], ['-cp', '0', pid]]) spawnSync('taskset', args)
    spawnSync('chrt', ['-i', '-p', '0', pid])
    const known = (await stalls())[0]?.id ?? 0
    let told: Told[] = []
    t.ok(await eventually(async () => (told = (await stalls()).filter(({ id }) => id > known)).length >= 3), 'stalls are told')
    rival.kill('SIGKILL')
    const { length } = told.filter(({ kind }) => kind === 'starved')
    t.comment(`starved: ${length} of ${told.length}`)
    t.ok(length >= told.length * 0.9, JSON.stringify(told.map(({ kind, seconds, figures }) => ({ kind, seconds, figures }))))
    spawnSync('taskset', ['-cp', `0-${availableParallelism() - 1}`, pid])
    spawnSync('chrt', ['-o', '-p', '0', pid])
  })

  await t.test('is as long as it was', async (t) => {
    const wrong: string[] = []
    for (const ms of [60, 80, 120, 200, 500, 1000]) {
      const { done, told } = await freeze('javascript', ms)
      // What the thread had no processor for, before and after, belongs to the stall, and not to what the program measured.
      const allowed = 0.005 + 2 * (told.figures.starved ?? 0)
      if (Math.abs(told.seconds - done.seconds) > allowed) wrong.push(`${done.seconds} is told as ${told.seconds}`)
    }
    t.same(wrong, [])
  })

  await t.test('has a profile: the shares of three functions, and the one that runs now', async (t) => {
    const watching = await subscribe(observer!, '?types=loop.blocked')
    const from = watching.messages.length
    const { done, told } = await freeze('phases', 3150)
    for (const [name, share] of [['first', 150 / 3150], ['second', 500 / 3150], ['third', 2500 / 3150]] as const) {
      const seconds = (told.shares ?? []).filter((one) => one.function === name).reduce((sum, one) => sum + one.seconds, 0)
      t.ok(Math.abs(seconds / told.seconds - share) < 0.05, `${name}: ${seconds} of ${told.seconds}`)
    }
    // Each report names what ran a moment before; a thread without a processor answers later.
    const wrong = watching.messages.slice(from).filter((event) => {
      if (event.type !== 'loop.blocked' || event.stack === undefined) return false
      const at = (event.t - told.since) / done.seconds * 3150
      const near = [150, 650].some((edge) => Math.abs(at - edge) < 150)
      return !near && event.stack[0]?.function !== (at < 150 ? 'first' : at < 650 ? 'second' : 'third')
    })
    t.ok(wrong.length <= 1, JSON.stringify(wrong))
    watching.socket.close()
    const asked = async (path: string, accept = '*/*'): Promise<Record<string, unknown>> => (await fetch(`${observer}${path}`, { headers: { accept } })).json() as Promise<Record<string, unknown>>
    t.match(await asked(told.profile!), { $schema: /speedscope/, profiles: [{ type: 'sampled' }] })
    for (const answer of [await asked(`${told.profile!}?format=cpuprofile`), await asked(told.profile!, 'application/vnd.cpuprofile+json')]) t.match(answer, { nodes: Array, samples: Array, timeDeltas: Array })
    t.match(await asked(told.profile!, 'text/html'), { code: 'not-acceptable' })
    t.match(await asked(`${told.profile!}?format=perfetto`), { code: 'invalid-query' })
    t.match(await asked('/stalls/999999/profile'), { code: 'no-such-stall' })
  })

  await t.test('an idle program has none, unless it has no processor', async (t) => {
    const known = (await stalls())[0]?.id ?? 0
    program.child.stdin!.write('idle 3000\n')
    await next()
    t.same((await stalls()).filter(({ id, kind }) => id > known && kind !== 'starved'), [])
  })
})
