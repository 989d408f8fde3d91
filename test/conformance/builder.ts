// What all makers of statements build with: the random numbers, the program's variables, labels, and the limits that keep a
// program finite (a routine starts only routines of a higher level, and only as many as its cost allows).
import { Random } from './random.ts'
import { likelyErrors } from './errors.ts'
import { awaiting, bytes, call, list, literal, mayFail, method, variable } from './tree.ts'
import type { Expression, Statement, Variable } from './tree.ts'

export type Feature =
  | 'basics' | 'tasks' | 'cancel' | 'gather' | 'wait' | 'waitFor' | 'shield' | 'asCompleted' | 'generator' | 'timeout' | 'group' | 'eager'
  | 'queue' | 'lock' | 'event' | 'condition' | 'semaphore' | 'barrier' | 'future' | 'callback' | 'context' | 'stream'

/** Where a statement will be. */
export interface Place {
  /** Only coroutines and callbacks of a higher level may be started from here, only tasks of a higher one awaited. */
  level: number
  /** False in callbacks, where nothing can be awaited. */
  async: boolean
  depth: number
  /** Whether `return` is allowed here: it cannot leave the body of a scope, which is a function in TypeScript. */
  returnable: boolean
  /** How often the statement runs each time its routine does. */
  times: number
  /** A feature with statements that belong here most of all. */
  favour: Feature | null
}

export interface Maker {
  feature: Feature
  weight: number
  /** Also for callbacks: it awaits nothing. */
  sync?: boolean
  make(builder: Builder, place: Place): Statement | null
}

export interface Known {
  name: string
  level: number
  cost: number
}

const DELAYS = [0, 0, 0.125, 0.125, 0.25, 0.25, 0.5, 0.5, 0.5, 1, 1, 1, 2, 3]
const MESSAGES = ['stop', 'enough', 'bye', 'late']

/** Usually ends without an error by itself. */
function harmless(statement: Statement): boolean {
  if (statement.type === 'scope' || statement.type === 'each' || statement.type === 'generate') return false
  if (statement.type !== 'do' || !mayFail(statement.value)) return true
  return statement.value.type === 'await' && statement.value.of.type === 'call' && statement.value.of.name === 'sleep'
}

export class Builder {
  readonly random: Random
  readonly features: ReadonlySet<Feature>
  readonly variables: Variable[] = []
  readonly coroutines: Known[] = []
  readonly callbacks: Known[] = []
  /** Coroutines made to wait, several at a time, for one object. */
  readonly crowds: (Known & { object: Variable; puts: boolean })[] = []
  readonly #makers: readonly Maker[]
  /** The feature this program is about most of all. */
  readonly #focus: Feature
  readonly #had = new Set<string>()
  #labels = 0
  #cost = 0
  #limit = 0

  constructor(random: Random, features: ReadonlySet<Feature>, focus: Feature, makers: readonly Maker[]) {
    this.random = random
    this.features = features
    this.#focus = focus
    this.#makers = makers.filter(({ feature }) => feature === 'basics' || features.has(feature))
  }

  has(feature: Feature): boolean {
    return this.features.has(feature)
  }

  /** True the first time it is called for this. */
  once(what: string): boolean {
    return !this.#had.has(what) && this.#had.add(what).size > 0
  }

  label(): string {
    return `L${++this.#labels}`
  }

  /** Builds the body of one routine; also returns the most that running it costs. */
  routine(place: Place, limit: number, build: (place: Place) => Statement[]): { body: Statement[]; cost: number } {
    this.#cost = 0
    this.#limit = limit
    const body = build(place)
    return { body, cost: this.#cost }
  }

  /** Accounts for starting something from this place; false if that would be too much. */
  spend(place: Place, cost: number): boolean {
    if (this.#cost + place.times * cost > this.#limit) return false
    this.#cost += place.times * cost
    return true
  }

  block(place: Place, statements: number): Statement[] {
    const body: Statement[] = []
    for (let i = 0; i < statements; i++) {
      const statement = this.statement(place)
      if (statement === null) break
      body.push(statement)
      if (statement.type === 'return' || statement.type === 'raise') break
    }
    return body
  }

  statement(place: Place): Statement | null {
    if (!this.spend(place, 1)) return null
    const makers = this.#makers
      .filter((maker) => place.async || maker.sync === true)
      .map((maker) => ({ maker, weight: maker.weight * (maker.feature === place.favour ? 5 : 1) * (maker.feature === this.#focus ? 3 : 1) }))
    for (let attempt = 0; attempt < 8; attempt++) {
      const statement = this.random.weighted(makers).maker.make(this, place)
      if (statement !== null) return this.#caught(statement, place)
    }
    return null
  }

  /** A statement that is likely to fail is often caught at once, above all in main: a program that ends early shows little. */
  #caught(statement: Statement, place: Place): Statement {
    const chance = place.level === 0 ? 0.75 : statement.type === 'do' && statement.value.type === 'method' ? 0.6 : 0.3
    if (harmless(statement) || place.depth > 4 || !this.random.chance(chance)) return statement
    const likely = likelyErrors(statement)
    const usual = this.random.chance(0.5)
    const error = likely.length > 0 && this.random.chance(0.8) ? this.random.pick(likely) : this.random.pick(['BaseException', 'CancelledError', 'TimeoutError'])
    return this.attempt([statement], usual ? 'Exception' : error, this.random.chance(0.12))
  }

  /** A block that logs its errors of one class. */
  attempt(body: Statement[], error = 'Exception', reraise = false): Statement {
    return { type: 'try', label: this.label(), body, handlers: [{ label: this.label(), error, body: [], reraise }], last: null }
  }

  /** A block inside a statement at this place. */
  inner(place: Place, changes: Partial<Place>, low: number, high: number): Statement[] {
    const inner = { ...place, ...changes, depth: place.depth + 1 }
    const body = this.block(inner, this.random.int(low, high))
    if (body.length === 0 && low > 0 && place.async) body.push(this.awaited(call('sleep', [literal(0)])))
    return body
  }

  do(value: Expression): Statement {
    return { type: 'do', label: this.label(), value }
  }

  awaited(value: Expression): Statement {
    return this.do(awaiting(value))
  }

  assign(name: string, value: Expression): Statement {
    return { type: 'assign', label: this.label(), name, value }
  }

  /** Any variable of these kinds, or null if the program has none. */
  some(...kinds: string[]): Variable | null {
    const found = this.variables.filter(({ kind }) => kinds.includes(kind))
    return found.length === 0 ? null : this.random.pick(found)
  }

  /** Any variable of these kinds that may be awaited from this level. */
  above(level: number, ...kinds: string[]): Variable | null {
    const found = this.variables.filter((one) => kinds.includes(one.kind) && one.level > level)
    return found.length === 0 ? null : this.random.pick(found)
  }

  delay(): Expression {
    return literal(this.random.chance(0.03) ? -0.5 : this.random.pick(DELAYS))
  }

  /** A time limit: mostly short, sometimes none. */
  limit(): Expression {
    return this.random.chance(0.12) ? literal(null) : this.delay()
  }

  message(): Expression[] {
    return this.random.chance(0.5) ? [] : [literal(this.random.pick(MESSAGES))]
  }

  /** A value that shows where it was made. */
  value(): Expression {
    return this.random.chance(0.7) ? literal(this.#labels) : literal(`v${this.#labels}`)
  }

  /** A coroutine to be run on its own or awaited: one of the program's, or one of asyncio's. */
  coroutine(place: Place, above: number): Expression | null {
    const { random } = this
    const own = this.coroutines.filter(({ level }) => level > Math.max(place.level, above))
    if (own.length > 0 && random.chance(0.75)) {
      const chosen = random.pick(own)
      if (this.spend(place, chosen.cost)) return { type: 'coroutine', name: chosen.name }
    }
    return random.chance(0.6) ? this.sleep() : this.blocking() ?? this.sleep()
  }

  sleep(): Expression {
    return call('sleep', this.random.chance(0.4) ? [this.delay(), this.value()] : [this.delay()])
  }

  /** A coroutine of asyncio's that waits for another task, on one of the program's objects. */
  blocking(): Expression | null {
    const one = this.some('Queue', 'PriorityQueue', 'LifoQueue', 'Lock', 'Event', 'Semaphore', 'BoundedSemaphore', 'Barrier', 'StreamReader')
    if (one === null) return null
    switch (one.kind) {
      case 'Event': return method(one.name, 'wait')
      case 'StreamReader': return this.reading(one)
      case 'Barrier': return method(one.name, 'wait')
      case 'Queue': case 'PriorityQueue': case 'LifoQueue':
        return this.random.chance(0.6) ? method(one.name, 'get') : this.random.chance(0.7) ? method(one.name, 'put', [this.item(one)]) : method(one.name, 'join')
      default: return method(one.name, 'acquire')
    }
  }

  /** One of the ways to read. Data and separators have few letters, so that they meet. */
  reading({ name }: Variable): Expression {
    const { random } = this
    switch (random.int(0, 7)) {
      case 0: case 1: return method(name, 'read', [literal(random.int(0, 4))])
      case 2: return method(name, 'read')
      case 3: return method(name, 'readexactly', [literal(random.int(0, 6))])
      case 4: return method(name, 'readuntil', [bytes(random.pick(['a', 'ab', 'ba', 'aab']))])
      case 5: return method(name, 'readuntil', [{ type: 'tuple', items: random.shuffled(['b', 'ab', 'aa', '\n']).slice(0, random.int(2, 3)).map(bytes) }])
      default: return method(name, 'readline')
    }
  }

  data(): Expression {
    return bytes(this.random.shuffled(['a', 'a', 'a', 'b', 'b', '\n', '\n']).slice(0, this.random.int(0, 4)).join(''))
  }

  /** An item for a queue: tuples in one that orders by priority and was made for them. */
  item(queue: Variable): Expression {
    if (queue.kind === 'PriorityQueue' && queue.name.endsWith('p')) {
      return { type: 'tuple', items: [literal(this.random.int(1, 3)), literal(this.random.pick(['a', 'b', 'c']))] }
    }
    return queue.kind === 'PriorityQueue' ? literal(this.random.int(1, 9)) : literal(this.#labels)
  }

  /** Anything that can be awaited from a level: a future, a task, or a coroutine that will become one. */
  member(place: Place, above: number): Expression | null {
    const { random } = this
    const future = this.above(above, 'Task', 'Task', 'Future', 'Gather', 'Shield')
    return future !== null && random.chance(0.55) ? variable(future.name) : this.coroutine(place, above)
  }

  members(place: Place, above: number, low: number, high: number): Expression {
    const items: Expression[] = []
    for (let i = this.random.int(low, high); i > 0; i--) {
      const member = this.member(place, above)
      if (member !== null) items.push(member)
      const last = items.at(-1)
      if (last?.type === 'variable' && this.random.chance(0.12)) items.push(last)
    }
    return list(items)
  }

  /** Awaits something that may never happen: mostly under some time limit, in main almost always. */
  bounded(place: Place, value: Expression): Statement {
    const chance = place.level === 0 ? 0.85 : 0.4
    return this.random.chance(chance) ? this.awaited(call('waitFor', [value, literal(this.random.pick(DELAYS))])) : this.awaited(value)
  }
}
