// Makes a random program. It uses a few features and a few objects, so that several of its parts act on the same objects at
// once: that is where orders differ.
import { Builder } from './builder.ts'
import type { Feature, Place } from './builder.ts'
import { anError } from './errors.ts'
import { basics } from './makers/basics.ts'
import { contexts } from './makers/context.ts'
import { callback, futures } from './makers/futures.ts'
import { locks } from './makers/locks.ts'
import { queues } from './makers/queues.ts'
import { contended, races, waitingFor } from './makers/races.ts'
import { scopes } from './makers/scopes.ts'
import { create, tasks } from './makers/tasks.ts'
import { streams } from './makers/streams.ts'
import { waiting } from './makers/waiting.ts'
import { Random } from './random.ts'
import { LOOP, awaiting, call, construct, literal, method } from './tree.ts'
import type { Expression, Program, Routine, Statement } from './tree.ts'

const MAKERS = [...basics, ...races, ...tasks, ...waiting, ...scopes, ...queues, ...locks, ...futures, ...contexts, ...streams]

const FEATURES: Feature[] = [
  'gather', 'wait', 'waitFor', 'shield', 'asCompleted', 'generator', 'generator', 'timeout', 'timeout', 'group', 'group', 'eager', 'queue', 'queue', 'lock', 'event',
  'condition', 'condition', 'semaphore', 'barrier', 'future', 'future', 'callback', 'context', 'stream', 'stream',
]

/** The most statements of one routine, including all it starts. */
const COST = 80
const MAIN_COST = 300

/** Each program is mainly about one feature, in turn, and has some others besides. */
function chooseFeatures(random: Random, focus: Feature): Set<Feature> {
  const features = new Set<Feature>(['tasks', focus])
  if (random.chance(0.75)) features.add('cancel')
  for (let i = random.int(1, 4); i > 0; i--) features.add(random.pick(FEATURES))
  return features
}

function declare(builder: Builder, top: number): void {
  const { random, variables } = builder
  const add = (name: string, kind: string, initial: Expression | null = null, level = Infinity): unknown => variables.push({ name, kind, initial, level })
  const size = (): Expression[] => random.chance(0.75) ? [literal(random.int(1, 2))] : []
  for (let i = random.int(2, 4); i > 0; i--) add(`t${i}`, 'Task', null, random.int(1, top))
  add('n1', 'counter', literal(0))
  if (builder.has('future') || builder.has('wait') || random.chance(0.2)) {
    for (let i = random.int(1, 2); i > 0; i--) add(`f${i}`, 'Future', method(LOOP, 'createFuture'))
  }
  if (builder.has('gather')) add('g1', 'Gather', null, random.int(1, top + 1))
  if (builder.has('shield')) add('s1', 'Shield', null, random.int(1, top + 1))
  if (builder.has('timeout')) for (let i = random.int(1, 2); i > 0; i--) add(`to${i}`, 'Timeout')
  if (builder.has('group')) for (let i = random.int(1, 2); i > 0; i--) add(`tg${i}`, 'TaskGroup')
  if (builder.has('queue')) {
    add('q1', 'Queue', construct('Queue', size()))
    if (random.chance(0.4)) add(random.chance(0.5) ? 'q2' : 'q2p', 'PriorityQueue', construct('PriorityQueue', size()))
    if (random.chance(0.35)) add('q3', 'LifoQueue', construct('LifoQueue', size()))
  }
  if (builder.has('lock')) add('l1', 'Lock', construct('Lock'))
  if (builder.has('event')) add('e1', 'Event', construct('Event'))
  if (builder.has('condition')) add('c', 'Condition', construct('Condition', builder.has('lock') && random.chance(0.3) ? [{ type: 'variable', name: 'l1' }] : []))
  if (builder.has('semaphore')) {
    const kind = random.chance(0.6) ? 'Semaphore' : 'BoundedSemaphore'
    add('m1', kind, construct(kind, random.chance(0.7) ? [literal(random.int(0, 2))] : []))
  }
  if (builder.has('barrier')) add('b1', 'Barrier', construct('Barrier', [literal(random.int(1, 3))]))
  if (builder.has('stream')) {
    for (let i = random.int(1, 2); i > 0; i--) add(`r${i}`, 'StreamReader', construct('StreamReader', random.chance(0.7) ? [literal(random.int(1, 6))] : []))
  }
  if (builder.has('callback')) for (const kind of ['Handle', 'TimerHandle']) add(kind === 'Handle' ? 'h1' : 'h2', kind)
  if (builder.has('context')) {
    add('v1', 'ContextVar', construct('ContextVar', [literal('v1')], random.chance(0.4) ? { default: literal(7) } : {}))
    add('k1', 'Token')
    add('x1', 'Context')
  }
}

/** A coroutine for groups: fails by itself in the end, or when it is cancelled, or both. */
function failing(builder: Builder): Routine {
  const { random } = builder
  const raise = (): Statement => ({ type: 'raise', label: builder.label(), error: anError(builder) })
  const sleep = (times: number[]): Statement => builder.awaited(call('sleep', [literal(random.pick(times))]))
  const caught = { label: builder.label(), error: 'CancelledError', body: [...(random.chance(0.3) ? [sleep([0, 0.125])] : []), raise()], reraise: false }
  const body = [sleep([0.125, 0.5, 1, 3]), ...(random.chance(0.5) ? [raise()] : [])]
  return { name: 'failing', body: random.chance(0.7) ? [{ type: 'try', label: builder.label(), body, handlers: [caught], last: null }] : body }
}

/** What main puts into slots at once, so that there is something to act on. */
function fillSlots(builder: Builder, place: Place): Statement[] {
  const slots = builder.variables.filter(({ kind }) => ['Gather', 'Shield', 'Context', 'TimerHandle', 'Handle'].includes(kind))
  return slots.filter(() => builder.random.chance(0.7)).map(({ name, kind, level }) => {
    const above = Math.max(level - 1, place.level)
    switch (kind) {
      case 'Gather': return builder.assign(name, call('gather', [builder.members(place, above, 1, 3)]))
      case 'Shield': return builder.assign(name, call('shield', [builder.member(place, above) ?? builder.sleep()]))
      case 'Context': return builder.assign(name, call('copyContext'))
      default: {
        const chosen = callback(builder, place) ?? { type: 'callback', name: builder.callbacks[0]?.name ?? '' }
        return builder.assign(name, kind === 'Handle' ? method(LOOP, 'callSoon', [chosen]) : method(LOOP, 'callLater', [builder.delay(), chosen]))
      }
    }
  })
}

/** Tasks that only yield, so that every turn of the loop shows in the trace. */
function ticker(builder: Builder): Routine {
  const tick = (): Statement => ({ type: 'repeat', label: builder.label(), times: builder.random.int(6, 12), body: [builder.awaited(call('sleep', [literal(0)]))] })
  const body = [tick()]
  for (let i = builder.random.int(0, 2); i > 0; i--) body.push(builder.awaited(call('sleep', [literal(builder.random.pick([0.125, 0.25, 0.5]))])), tick())
  return { name: 'ticker', body }
}

/** Makes program number `index` of a seed; the same two numbers always give the same program. */
export function generate(seed: number, index: number): Program {
  const random = new Random(seed, index)
  const focus = FEATURES[index % FEATURES.length] as Feature
  const builder = new Builder(random, chooseFeatures(random, focus), focus, MAKERS)
  const top = random.int(1, 4)
  declare(builder, top)
  const coroutines: Routine[] = []
  const callbacks: Routine[] = []
  const withCallbacks = builder.has('callback') || builder.has('context')
  const levels = withCallbacks ? Array.from({ length: random.int(1, 3) }, () => random.int(0, top) + 0.5) : []
  const place: Place = { level: 0, async: true, depth: 0, returnable: true, times: 1, favour: null }

  for (let i = random.pick([0, 1, 2, 2]); i > 0; i--) {
    const object = contended(builder)
    if (object === null) break
    const own = { name: `w${i}`, level: top + 1, object, puts: random.chance(0.4) }
    const { body } = builder.routine({ ...place, level: own.level }, COST, () => waitingFor(builder, object, own.puts))
    builder.crowds.push({ ...own, cost: 4 })
    builder.coroutines.push({ ...own, cost: 4 })
    coroutines.unshift({ name: own.name, body })
  }

  if (builder.has('group') && random.chance(0.6)) {
    const own = failing(builder)
    builder.coroutines.push({ name: own.name, level: top + 1, cost: 4 })
    coroutines.unshift(own)
  }

  // From the highest level down, so that what a routine may start is known, with its cost, when it is built.
  for (let level = top; level >= 1; level--) {
    for (const own of levels.filter((one) => one > level && one < level + 1)) addCallback(own)
    const { body, cost } = builder.routine({ ...place, level }, COST, (here) => builder.block(here, random.int(2, 6)))
    builder.coroutines.push({ name: `c${level}`, level, cost: cost + 1 })
    coroutines.unshift({ name: `c${level}`, body })
  }
  for (const own of levels.filter((one) => one < 1)) addCallback(own)
  const main = builder.routine(place, MAIN_COST, (here) => [
    ...(builder.has('eager') && random.chance(0.6) ? [builder.do(method(LOOP, 'setTaskFactory', [call('eagerTaskFactory')]))] : []),
    ...Array.from({ length: random.int(1, 4) }, () => create(builder, here)).filter((made) => made !== null),
    ...fillSlots(builder, here),
    ...builder.block(here, random.int(4, 10)),
  ])
  const body = main.body
  if (random.chance(0.4)) {
    coroutines.unshift(ticker(builder))
    body.splice(random.int(0, 1), 0, builder.do(call('createTask', [{ type: 'coroutine', name: 'ticker' }])))
  }
  if (random.chance(0.5)) body.push({ type: 'do', label: builder.label(), value: awaiting(call('sleep', [literal(random.int(1, 4))])) })
  return { variables: builder.variables, coroutines: [{ name: 'main', body }, ...coroutines], callbacks }

  function addCallback(level: number): void {
    const name = `cb${builder.callbacks.length + 1}`
    const exact = level + builder.callbacks.length / 100
    const built = builder.routine({ ...place, async: false, level: exact }, COST / 4, (here) => {
      const body = builder.block(here, random.int(1, 3))
      if (random.chance(0.15)) body.push({ type: 'raise', label: builder.label(), error: anError(builder) })
      return body
    })
    builder.callbacks.push({ name, level: exact, cost: built.cost + 1 })
    callbacks.push({ name, body: built.body })
  }
}
