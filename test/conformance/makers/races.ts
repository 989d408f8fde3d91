// Several things at once: statements with nothing awaited between them, so that all their effects are in one iteration. A
// wake-up and a cancellation of the same wait, in either order, is where an asyncio most easily goes wrong.
import { awaiting, call, construct, literal, method, variable } from '../tree.ts'
import type { Expression, Statement, Variable } from '../tree.ts'
import { feeding } from './streams.ts'
import type { Builder, Maker } from '../builder.ts'

const CONTENDED = [
  'Queue', 'Queue', 'Queue', 'Queue', 'PriorityQueue', 'LifoQueue', 'Lock', 'Lock', 'Event', 'Condition', 'Semaphore', 'BoundedSemaphore', 'Barrier', 'Future', 'StreamReader', 'StreamReader',
]

/** Something that one task can wait for and others can end, or null if the program has none. */
export function contended(builder: Builder): Variable | null {
  return builder.some(...CONTENDED)
}

/** What a wait for `one` may throw besides a cancellation. */
function failuresOf({ kind }: Variable): string[] {
  if (kind === 'Barrier') return ['BrokenBarrierError']
  if (kind === 'Future') return ['Boom']
  if (kind === 'StreamReader') return ['Boom', 'IncompleteReadError', 'LimitOverrunError', 'RuntimeError']
  return kind.endsWith('Queue') ? ['QueueShutDown'] : []
}

/** The body of a coroutine that waits for `one`, logs how that ended, and cleans up. */
export function waitingFor(builder: Builder, one: Variable, puts: boolean): Statement[] {
  const { random } = builder
  const label = builder.label()
  const pause = (): Statement[] => random.chance(0.4) ? [builder.awaited(call('sleep', [literal(random.pick([0, 0, 0.125]))]))] : []
  const error = random.pick(['CancelledError', 'CancelledError', 'BaseException', ...failuresOf(one)])
  const caught = { label: builder.label(), error, body: pause(), reraise: random.chance(0.6) }
  const wait = (...body: Statement[]): Statement => ({ type: 'try', label, body, handlers: [caught], last: null })
  switch (one.kind) {
    case 'Queue': case 'PriorityQueue': case 'LifoQueue':
      if (!puts && random.chance(0.15)) return [wait(builder.awaited(method(one.name, 'join')))]
      return [wait(builder.awaited(puts ? method(one.name, 'put', [builder.item(one)]) : method(one.name, 'get')))]
    case 'Lock': case 'Semaphore': case 'BoundedSemaphore': {
      const held = { type: 'scope' as const, label: builder.label(), kind: 'with' as const, value: variable(one.name), as: null, body: pause() }
      return [wait(random.chance(0.6) ? held : builder.awaited(method(one.name, 'acquire')))]
    }
    case 'Condition': {
      const inside = [builder.awaited(method(one.name, 'wait'))]
      return [wait({ type: 'scope', label: builder.label(), kind: 'with', value: variable(one.name), as: null, body: inside })]
    }
    case 'Future': return [wait(builder.awaited(variable(one.name)))]
    case 'StreamReader': return [wait(builder.awaited(builder.reading(one)))]
    default: return [wait(builder.awaited(method(one.name, 'wait')))]
  }
}

/** Something that ends a wait: for `one`, or for anything in the program. */
function wakeUp(builder: Builder, one = builder.some(...CONTENDED, 'Future', 'TimerHandle', 'Timeout'), puts = builder.random.chance(0.4)): Expression | null {
  if (one === null) return null
  const { random } = builder
  switch (one.kind) {
    case 'Queue': case 'PriorityQueue': case 'LifoQueue': {
      const name = random.chance(0.75) ? (puts ? 'getNowait' : 'putNowait') : random.pick(['putNowait', 'getNowait', 'shutdown', 'taskDone'])
      return method(one.name, name, name === 'putNowait' ? [builder.item(one)] : name === 'shutdown' && random.chance(0.5) ? [literal(true)] : [])
    }
    case 'Event': return method(one.name, random.pick(['set', 'set', 'clear']))
    case 'Condition': return method(one.name, random.pick(['notify', 'notifyAll', 'release']))
    case 'Future': {
      const name = random.pick(['setResult', 'setResult', 'setException', 'cancel'])
      return method(one.name, name, name === 'setResult' ? [builder.value()] : name === 'setException' ? [construct('Boom', [literal('race')])] : builder.message())
    }
    case 'StreamReader': return feeding(builder, one)
    case 'TimerHandle': return method(one.name, 'cancel')
    case 'Barrier': return call('createTask', [method(one.name, random.pick(['wait', 'abort', 'reset']))])
    case 'Timeout': return method(one.name, 'reschedule', [{ type: 'clock', plus: random.pick([0, 0, 0.5]) }])
    default: return method(one.name, 'release')
  }
}

function cancellation(builder: Builder): Expression | null {
  const one = builder.some('Task', 'Task', 'Task', 'Gather', 'Shield')
  return one === null ? null : method(one.name, 'cancel', builder.message())
}

export const races: Maker[] = [
  {
    // Several waiting tasks, then a wake-up and a cancellation at once.
    feature: 'cancel', weight: 20,
    make(builder, place) {
      const { random } = builder
      if (builder.crowds.length === 0 || place.depth > 1 || (place.level > 0 && random.chance(0.5))) return null
      const crowd = random.pick(builder.crowds)
      const slots = random.shuffled(builder.variables.filter(({ kind }) => kind === 'Task')).slice(0, random.int(2, 4))
      if (!builder.spend(place, slots.length * crowd.cost)) return null
      const start = (slot: Variable): Statement => builder.assign(slot.name, call('createTask', [{ type: 'coroutine', name: crowd.name }]))
      const rest = (): Statement => builder.do(awaiting(call('sleep', [literal(random.pick([0, 0, 0, 0.125]))])))
      const wake = (): Expression | null => wakeUp(builder, crowd.object, crowd.puts)
      const victim = random.chance(0.6) ? slots[0] : random.pick(slots)
      const happenings = [
        ...Array.from({ length: random.pick([1, 1, 2, 3]) }, wake),
        victim !== undefined && random.chance(0.8) ? method(victim.name, 'cancel', builder.message()) : null, random.chance(0.3) ? cancellation(builder) : null,
      ]
      const at = random.shuffled(happenings.filter((one) => one !== null)).map((one) => builder.do(one))
      const after = random.chance(0.5) ? [rest(), ...[wake()].filter((one) => one !== null).map((one) => builder.do(one))] : []
      const body = [...slots.map(start), rest(), ...(random.chance(0.3) ? [rest()] : []), ...at, rest(), ...after]
      return builder.attempt(body)
    },
  },
  {
    feature: 'cancel', weight: 6, sync: true,
    make(builder) {
      const { random } = builder
      const happenings = [wakeUp(builder), cancellation(builder), random.chance(0.6) ? wakeUp(builder) : null, random.chance(0.3) ? cancellation(builder) : null]
      const body: Statement[] = random.shuffled(happenings.filter((one) => one !== null)).map((one) => builder.do(one))
      if (random.chance(0.1)) body.push(builder.do(method('mainTask', 'cancel', [literal('race')])))
      if (body.length < 2) return null
      return builder.attempt(body)
    },
  },
]
