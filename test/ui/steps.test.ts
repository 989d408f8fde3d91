// What the compiler puts into a program so that it can be stepped: where it stops, what can be seen there, and that nothing
// else changes. The programs run here, on the same runtime.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import * as loopscope from '../../src/index.ts'
import { Recorder } from '../../src/events/recorder.ts'
import { Service } from '../../ui/playground/compiler/service.ts'
import type { CompiledModule, Stop, StepOptions } from '../../ui/playground/messages.ts'
import { HOOKS } from '../../ui/playground/thread/modules.ts'
import { knowProxies, preview } from '../../ui/playground/thread/preview.ts'
import { Steps } from '../../ui/playground/thread/steps.ts'

const ROOT = join(import.meta.dirname, '../..')
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8').replaceAll("'../src/index.ts'", "'loopscope'")
const service = new Service(new Map(['pace', 'chance'].map((name) => [`/${name}.ts`, read(`examples/${name}.ts`)])))

interface Ran {
  exports: Record<string, unknown>
  printed: string[]
  stops: (Stop | { type: 'ahead' })[]
  steps: Steps
}

let loads = 0

/** Runs a program's top level, compiled for stepping or not; `print` is collected. */
async function load(text: string, stepped: boolean, options: StepOptions = { each: true, breakpoints: [] }): Promise<Ran> {
  service.update(text)
  const { modules } = service.compile(stepped)
  const stops: Ran['stops'] = []
  const printed: string[] = []
  const steps = new Steps(options, (make) => stops.push(make()), () => null)
  const key = `loopscope.test.${loads++}`
  const api: Record<string, object> = {
    loopscope: { ...loopscope, print: (...values: unknown[]) => { printed.push(values.join(' ')) } }, [HOOKS]: { held: () => {}, ...steps.hooks },
  }
  Object.defineProperty(globalThis, Symbol.for(key), { value: api })
  const made = new Map(Object.entries(api).map(([name, exported]) => [name,
    addressOf(`export const { ${Object.keys(exported).filter((name) => name !== 'default').join(', ')} } = globalThis[Symbol.for('${key}')]['${name}']`)]))
  const link = (name: string): string => {
    const { code, imports } = modules.find((module) => module.name === name) as CompiledModule
    let linked = ''
    let at = 0
    for (const { specifier, start, end } of imports) {
      linked += code.slice(at, start) + (made.get(specifier) ?? link(specifier.slice(2).replace(/\.js$/, '.ts')))
      at = end
    }
    return addressOf(`${linked}${code.slice(at)}\n//# sourceURL=${name}?${loads}`)
  }
  return { exports: await import(link('program.ts')) as Record<string, unknown>, printed, stops, steps }
}

function addressOf(code: string): string {
  return `data:text/javascript,${encodeURIComponent(code).replaceAll("'", '%27')}`
}

/** `4 main a=1 b="x"`: the line, the function and its own variables. */
function said(stops: Ran['stops']): string[] {
  return stops.flatMap((stop) => stop.type === 'ahead' ? [] : [[stop.line, stop.stack[0]?.function, ...stop.stack[0]?.variables.filter(({ local }) => local).map(({ name, value }) => `${name}=${value}`) ?? []].filter((part) => part !== '').join(' ')])
}

const STOPS: [what: string, program: string, stops: string[]][] = [
  ['statements, of which those without a value to compute are passed', 'let a = 1\nlet b\nb = 2\ninterface C {}\ntype D = 1\n;\nfunction f() {\n  return 1\n}\nf()\nexport {}\n', ['1', '3 a=1 b=undefined', '10 a=1 b=2', '8 f']],
  ['two statements of a line once', 'let a = 1; a = 2\na = 3\n', ['1', '2 a=2']],
  ['a variable only from its declaration on, and that of its block', "let a = 'outer'\n{\n  a\n  let b = a\n  b\n}\na\n", ['1', '3 a="outer"', '4 a="outer"', '5 b="outer" a="outer"', '7 a="outer"']],
  ['both branches of an if, and the condition after else', 'const n = Number(2)\nif (n === 1)\n  n\nelse if (n === 2)\n  n + 1\nelse n + 2\n', ['1', '2 n=2', '4 n=2', '5 n=2']],
  ['each round of a loop', 'for (let i = 0; i < 2; i++) {\n  i\n}\n', ['1', '2 i=0', '1 i=0', '2 i=1', '1 i=1']],
  ['each round of a loop in one line', 'let n = 0\nwhile (n < 2) n++\n', ['1', '2 n=0', '2 n=1', '2 n=2']],
  ['each round of an empty loop', 'let n = 0\nwhile (n++ < 1) {}\nfor (const x of [1, 2]) {}\nfor (;n++ < 4;);\n', ['1', '2 n=0', '2 n=1', '3 n=2', '3 x=1 n=2', '3 x=2 n=2', '4 n=2', '4 n=3', '4 n=4']],
  ['a loop with a label, continue and break', 'outer: for (const a of [1, 2]) {\n  for (const b of [1, 2]) {\n    if (b === 2)\n      continue outer\n    if (a === 2)\n      break outer\n  }\n}\n',
    ['1', '2 a=1', '3 b=1 a=1', '5 b=1 a=1', '3 b=2 a=1', '4 b=2 a=1', '2 a=2', '3 b=1 a=2', '5 b=1 a=2', '6 b=1 a=2']],
  ['a do loop at its condition', 'let n = 0\ndo {\n  n++\n} while (n < 2)\n', ['1', '3 n=0', '4 n=1', '3 n=1', '4 n=2']],
  ['a switch, whose variables may not be initialized', 'switch (Number(2)) {\n  case 1:\n    let a = 1\n    a\n  case 2:\n    0\n}\n', ['1', '6']],
  ['what is caught', "try {\n  throw 'x'\n} catch (error) {\n  error\n} finally {\n  1\n}\n", ['2', '4 error="x"', '6']],
  ['parameters, also taken apart', 'const f = ({ a, b: [c = 2, ...d] }: any, e = a) => a + c + e\nf({ a: 1, b: [undefined, 4] })\n', ['1', '2 f=f()', '1 f a=1 c=2 d=[4] e=1']],
  ['an arrow function\'s value, in each call', '[1, 2].map((x) => x + 1)\n', ['1', '1 x=1', '1 x=2']],
  ['methods, with this', 'class A {\n  n = 1\n  get m() {\n    return this.n\n  }\n}\nnew A().m\n', ['1', '7', '4 m this=A { n: 1 }']],
  ['a constructor, where this is not there before super()', 'class A {}\nclass B extends A {\n  constructor(private x: number) {\n    super()\n    x\n  }\n}\nnew B(1)\n', ['1', '2', '8', '4 constructor x=1', '5 constructor this=B { x: 1 } x=1']],
  ['static blocks', 'class A {\n  static {\n    let a = 1\n    a\n  }\n}\n', ['1', '3', '4 a=1']],
  ['var before it has a value', 'function f() {\n  x = 1\n  if (x)\n    var x = 2\n}\nf()\n', ['6', '2 f x=undefined', '3 f x=1', '4 f x=1']],
  ['generators, driven by hand', "function* g(): Generator<number, void, string> {\n  const a = yield 1\n  a\n}\nconst i = g()\ni.next()\ni.next('in')\n", ['5', '6 i=(coroutine)', '2 g', '7 i=(coroutine)', '3 g a="in"']],
  ['a name of each block', 'const a = 1\nfor (const a of [2]) {\n  const a = 3\n  a\n}\n', ['1', '2 a=1', '3', '4 a=3']],
  ['nothing of what exists for types alone', 'declare const d: number\ndeclare function f(): void\nenum E { A }\nnamespace N { export const x = 1 }\nE.A\n', ['5']],
  ['names like those of the compiler\'s calls', 'const frame = 1, scope = 2, at = 3, enter = 4, leave = 5, back = 6, held = 7\nconst frame_1 = 8, scope_1 = 9, at_1 = 10\nfunction f(frame: number, held_1: number) {\n  while (held_1-- > 0) frame++\n  return frame\n}\nf(frame, 1)\n',
    ['1', '2 frame=1 scope=2 at=3 enter=4 leave=5 back=6 held=7', '7 frame=1 scope=2 at=3 enter=4 leave=5 back=6 held=7 frame_1=8 scope_1=9 at_1=10', '4 f frame=1 held_1=1', '4 f frame=2 held_1=0', '5 f frame=2 held_1=-1']],
]

t.test('stops before', async (t) => {
  for (const [what, program, stops] of STOPS) {
    await t.test(what, async (t) => {
      const { stops: found } = await load(program, true)
      t.same(said(found), stops)
    })
  }
})

t.test('leaves every name to the program, also in a run without stops', async (t) => {
  const { exports } = await load('const __held = 1, held = 2\nexport let n = 0\nwhile (n < __held + held) n++\n', false)
  t.equal(exports['n'], 3)
})

t.test('shows the functions that are being called, and the variables of each', async (t) => {
  const { stops } = await load("const top = 'module'\nfunction outer(a: number) {\n  const b = inner(a + 1) + inner(a + 2)\n  return b\n}\nfunction inner(c: number) {\n  return c\n}\nouter(1)\n", true)
  const stacks = stops.flatMap((stop) => stop.type === 'stop' ? [stop.stack.map(({ function: name, line, variables }) => `${name}:${line} ${variables.map(({ name, value, local }) => `${local ? '' : '+'}${name}=${value}`).join(' ')}`.trim())] : [])
  t.same(stacks, [
    [':1'], [':9 top="module"'], ['outer:3 a=1 +top="module"', ':9 top="module"'],
    ['inner:7 c=2 +top="module"', 'outer:3 a=1 +top="module"', ':9 top="module"'],
    ['inner:7 c=3 +top="module"', 'outer:3 a=1 +top="module"', ':9 top="module"'],
    ['outer:4 a=1 b=5 +top="module"', ':9 top="module"'],
  ])
})

t.test('shows the coroutines that await each other, of the running task only', async (t) => {
  const program = "import { createTask, sleep, type Coroutine } from 'loopscope'\nfunction* leaf(n: number): Coroutine<number> {\n  yield* sleep(n)\n  return n\n}\nfunction* middle(n: number): Coroutine<number> {\n  return (yield* leaf(n)) + (yield* leaf(n + 2))\n}\nexport function* main(): Coroutine<void> {\n  const other = createTask(middle(2))\n  yield* middle(1)\n  yield* other\n}\n"
  const { exports, stops } = await load(program, true)
  stops.length = 0
  await loopscope.run((exports['main'] as () => loopscope.Coroutine<void>)(), { clock: new loopscope.VirtualClock() })
  const chains = stops.flatMap((stop) => stop.type === 'stop' ? [stop.stack.map(({ function: name, line, variables }) => `${name}:${line}${variables[0]?.local ? `(${variables[0].value})` : ''}`).join(' < ')] : [])
  const [main, other] = ['main:11(Task "Task-2")', '']
  t.same(chains, [
    'main:10', main, `middle:7(1) < ${main}`, `leaf:3(1) < middle:7(1) < ${main}`,
    'middle:7(2)', `leaf:3(2) < middle:7(2)${other}`,
    `leaf:4(1) < middle:7(1) < ${main}`, `leaf:3(3) < middle:7(1) < ${main}`,
    'leaf:4(2) < middle:7(2)', 'leaf:3(4) < middle:7(2)',
    `leaf:4(3) < middle:7(1) < ${main}`, 'main:12(Task "Task-2")', 'leaf:4(4) < middle:7(2)',
  ])
})

t.test('stops at breakpoints only, and from there at each line', async (t) => {
  const { stops } = await load('let n = 0\nn++\nn++\nn++\nexport const f = () => {\n  n++\n}\n', true, { each: false, breakpoints: [3] })
  t.same(said(stops), ['3 n=1', '4 n=2', '5 n=3'])
})

t.test('records a bounded number of lines ahead, counts those that it passes, and goes on at a breakpoint', async (t) => {
  const { stops, steps, exports } = await load('export function f() {\n  for (let i = 0; i < 3000; i++) {\n    i\n  }\n  0\n  1\n}\n', true)
  steps.go({ each: true, breakpoints: [5] })
  stops.length = 0
  ;(exports['f'] as () => void)()
  t.equal(stops.length, 1002)
  const last = stops.at(-2) as Stop
  t.equal(last.line, 5)
  t.equal(last.missed, 1 + 2 * 3000 - 1000)
  t.match(stops.at(-1), { line: 6, missed: 0 })
  const paused: string[] = []
  steps.pause(() => paused.push('a'))
  steps.pause(() => paused.push('b'))
  t.same(paused, [], 'the loop waits for the page')
  t.same(stops.at(-1), { type: 'ahead' })
  steps.go({ each: false, breakpoints: [] })
  t.same(paused, ['a', 'b'])
  steps.end()
  stops.length = 0
  ;(exports['f'] as () => void)()
  steps.pause(() => paused.push('c'))
  t.same(stops, [])
  t.same(paused, ['a', 'b', 'c'])
})

/** Programs whose course could change if the calls between their statements did more than look. */
const COURSES: [what: string, program: string][] = [
  ...readdirSync(join(ROOT, 'examples')).filter((name) => /^[1-4]-.*\.ts$/.test(name)).map((name): [string, string] => [name, read(`examples/${name}`)]),
  ['races, a queue, cancellation, timeouts and a lock', `import { createTask, CancelledError, gather, Lock, print, Queue, sleep, waitFor, type Coroutine } from 'loopscope'
function* producer(queue: Queue<number>): Coroutine<void> {
  for (let i = 0; i < 3; i++) { yield* queue.put(i); yield* sleep(0) }
}
function* consumer(queue: Queue<number>, name: string): Coroutine<void> {
  try {
    while (true) print(name, yield* queue.get())
  } catch (error) {
    if (error instanceof CancelledError) print(name, 'is cancelled')
    throw error
  } finally {
    print(name, 'ends')
  }
}
class Account {
  #lock = new Lock()
  constructor(public sum: number) {}
  *take(n: number): Coroutine<boolean> {
    yield* this.#lock.acquire()
    using _ = { [Symbol.dispose]: () => { this.#lock.release() } }
    if (this.sum < n) return false
    yield* sleep(0.5)
    this.sum -= n
    return true
  }
}
function* pair(): Generator<number, string> { yield 1; try { yield 2 } finally { print('closed') } return 'end' }
export function* main(): Coroutine<void> {
  const queue = new Queue<number>(1)
  const consumers = ['a', 'b'].map((name) => createTask(consumer(queue, name)))
  yield* gather([producer(queue), producer(queue)])
  for (const task of consumers) task.cancel()
  for (const task of consumers) { try { yield* task } catch { print('gone') } }
  for (const n of pair()) if (n === 2) break
  const account = new Account(3)
  print((yield* gather([account.take(2), account.take(2), account.take(1)])).join(), account.sum)
  try { yield* waitFor(sleep(2), 1) } catch (error) { print((error as Error).name) }
  print([3, 1, 2].sort((x, y) => x - y).map((x) => { return x * 2 }).join(), (function () { return arguments.length }).call(null))
}
`],
  ['promises between steps', `import { createTask, fromPromise, print, sleep, type Coroutine } from 'loopscope'
async function later(n: number) { for (let i = 0; i < n; i++) await null; print('promise', n); return n }
async function* stream() { for (let i = 0; i < 2; i++) { yield await later(i) } }
function* one(n: number): Coroutine<void> { print(yield* fromPromise(later(n))) }
export function* main(): Coroutine<void> {
  const tasks = [3, 1, 2].map((n) => createTask(one(n)))
  void (async () => { for await (const x of stream()) print('stream', x) })()
  for (let i = 0; i < 4; i++) { print('main', i); yield* sleep(0) }
  for (const task of tasks) yield* task
}
`],
]

t.test('leaves the order of events and the output as they are', async (t) => {
  for (const [what, program] of COURSES) {
    await t.test(what, async (t) => {
      const course = async (stepped: boolean): Promise<{ events: unknown[]; printed: string[]; error: unknown; stops: number }> => {
        const { exports, printed, stops } = await load(program, stepped)
        const loop = new loopscope.EventLoop({ clock: new loopscope.VirtualClock() })
        const events: unknown[] = []
        new Recorder(loop, { history: 10, name: 'test' }).listen((event) => events.push({ ...event, ...'location' in event ? { location: undefined } : {} }))
        const outcome = await loopscope.run((exports['main'] as () => loopscope.Coroutine<void>)(), { loopFactory: () => loop }).then(() => null, String)
        return { events: renumbered(events), printed, error: outcome, stops: stops.length }
      }
      const [plain, stepped] = [await course(false), await course(true)]
      t.ok(plain.events.length > 8 && stepped.stops > 1, `${plain.events.length} events, ${stepped.stops} stops`)
      t.equal(plain.error, null)
      t.same(stepped.printed, plain.printed)
      t.same(stepped.events, plain.events)
    })
  }
})

/** Queues and locks are numbered for the whole process: here from 1 for each course. */
function renumbered(events: unknown[]): unknown[] {
  const numbers = new Map<string, number>()
  return JSON.parse(JSON.stringify(events).replace(/(<(?:Queue|Lock) |"queue":)(\d+)/g, (_whole, before: string, id: string) => {
    if (!numbers.has(id)) numbers.set(id, numbers.size + 1)
    return `${before}${numbers.get(id)}`
  })) as unknown[]
}

t.test('describes any value without running code of the program', (t) => {
  knowProxies()
  const ran: string[] = []
  const trap = (): never => {
    ran.push('trap')
    throw new Error('a trap was called')
  }
  const traps = new Proxy({}, { get: () => trap }) as ProxyHandler<object>
  const circle: Record<string, unknown> = { a: 1 }
  circle['self'] = circle
  class Point {
    x = 1
    get y() { return trap() }
    toString() { return trap() }
    toJSON() { return trap() }
    get [Symbol.toStringTag]() { return trap() }
  }
  const before = Object.getOwnPropertyDescriptor(Error, 'prepareStackTrace')?.value as typeof Error.prepareStackTrace
  Error.prepareStackTrace = trap
  const captured = (): object => {
    const object = { a: 1 }
    Error.captureStackTrace(object)
    return object
  }
  const rows: [value: unknown, text: string | RegExp][] = [
    [1, '1'], [-0, '-0'], [10n, '10n'], [1n << 100_000_000n, '(a bigint of more than 40 digits)'], ['a\n"', '"a\\n\\""'], [undefined, 'undefined'], [null, 'null'], [Symbol('s'), 'Symbol(s)'],
    ['x'.repeat(1e7), /^"x{80}" … \(10000000 characters\)$/], [[1, [2, [3]], {}], '[1, [2, Array(1)], {}]'], [new Array(1e9), /^\[\(empty\), .*… 1000000000 items\]$/],
    [circle, '{ a: 1, self: { a: 1, self: {…} } }'], [new Point(), 'Point { x: 1 }'], [{ get a() { return trap() } }, '{ a: (getter) }'], [Object.create(null), '{}'],
    [new Proxy({}, traps), '(proxy)'], [new Proxy(() => {}, traps), '(proxy)'], [Proxy.revocable({}, traps).proxy, '(proxy)'], [Object.create(new Proxy({}, traps)), '{…}'], [[new Proxy({}, traps)], '[(proxy)]'],
    [Object.fromEntries(Array.from({ length: 5000 }, (_, at) => [`k${at}`, at])), /^\{ k0: 0, .*, … \}$/],
    [new Map([[1, 2]]), 'Map(1)'], [new Set(), 'Set(0)'], [new Uint8Array(3), 'Uint8Array(3)'], [new Date(0), '1970-01-01T00:00:00.000Z'], [new (class E extends RangeError {})('r'), 'E: "r"'], [captured(), '{ a: 1 }'],
    [function f() {}, 'f()'], [Object.defineProperty(() => {}, 'name', { get: trap }), '()'], [(function* () {})(), '(coroutine)'], [new loopscope.Queue(), 'Queue'],
    [{ [`${'k'.repeat(500)}`]: 'v'.repeat(500) }, /^.{159}…$/],
  ]
  for (const [value, text] of rows) {
    const found = preview(value)
    Error.prepareStackTrace = before
    if (typeof text === 'string') t.equal(found, text)
    else t.match(found, text)
    t.ok(found.length <= 160, `${found.length} characters`)
    Error.prepareStackTrace = trap
  }
  Error.prepareStackTrace = before
  t.same(ran, [])
  t.equal(new Proxy({ a: 1 }, {}).a, 1)
  t.throws(() => (Proxy as unknown as () => void)(), TypeError)
  t.end()
})
