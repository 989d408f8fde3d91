// The methods of asyncio's objects and of Python's containers and strings.
import { LEVEL, type Code } from './code.ts'
import { entry, makeTask, of, type Api, type CallCode, type CallTypes, type Returns } from './entry.ts'
import type { Expression } from './tree.ts'
import { named, Type, union, type Of, type PlainKind } from './types.ts'

type Methods = Readonly<Record<string, Api>>

const coroutine = (...kinds: PlainKind[]): Returns => ({ at, infer }) => infer.awaitable(at, 'coro', new Type(...kinds))
const all = ({ node, w }: CallCode): string => node.args.map((item) => item.type === 'Starred' ? `...${w.iterable(item.value).text}` : w.code(item)).join(', ')
const called = (name: string): NonNullable<Api['write']> => (call) => `${call.on}.${name}(${all(call)})`
/** What `random` draws from has a length. */
export const drawn = (w: CallCode['w'], item: Expression): string => (w.typeOf(item).has('iter', 'dict') ? w.array(item) : w.expression(item)).text
const draws = (name: string): NonNullable<Api['write']> => (call) => `${call.on}.${name}(${call.node.args.map((item) => drawn(call.w, item)).join(', ')})`
const helper = (name: string): NonNullable<Api['write']> => (call) => `${call.w.python(name)}(${[call.on, ...call.node.args.map((item) => call.w.code(item))].join(', ')})`

const elem = (call: CallTypes): Type => {
  const { on } = call
  return on !== null && 'elem' in on ? on.elem : new Type()
}
/** Puts the argument `name` into the container. */
const puts = (name: string, returns: Returns): Returns => (call) => {
  call.infer.grow(elem(call), call.arg(name))
  return returns(call)
}
const putsAll = (returns: Returns): Returns => (call) => {
  call.infer.grow(elem(call), call.infer.iterated(call.at, call.arg('items')))
  return returns(call)
}
const dict = (call: CallTypes): Of<'dict'> | null => call.on?.kind === 'dict' ? call.on : null
const value = (call: CallTypes): Type => dict(call)?.value ?? new Type()

/** Calls a callback with what the loop gives it. */
const calls = (returns: Returns): Returns => (call) => {
  call.infer.invoke(call.at, call.arg('callback'), call.rest)
  return returns(call)
}
const result = (call: CallTypes): Type => call.on !== null && 'result' in call.on ? call.on.result : new Type()

const future: Methods = {
  cancel: entry('message', of('bool')),
  done: entry('', of('bool')),
  cancelled: entry('', of('bool')),
  result: entry('', result),
  exception: entry('', () => new Type(named('Exception', 'error'), 'none'), ({ on }) => ({ text: `${on}.exception() as Error | null`, level: LEVEL.relation })),
  set_result: entry('value', (call) => {
    call.infer.grow(result(call), call.arg('value'))
    return new Type('void')
  }),
  set_exception: entry('error', of('void'), ({ on, arg, w, node }) => {
    const error = arg('error')
    if (error === null) return w.problem(node, 'set_exception needs an error')
    // A class alone means an error made without arguments.
    return `${on}.setException(${w.typeOf(error).only('class', 'errorClass') ? `new ${w.code(error)}()` : w.code(error)})`
  }),
  add_done_callback: entry('callback', (call) => {
    call.infer.invoke(call.at, call.arg('callback'), [new Type(call.on ?? 'any')])
    return new Type('void')
  }),
  remove_done_callback: entry('callback', of('nat')),
  get_name: entry('', of('str')),
  set_name: entry('name', of('void')),
  get_coro: entry('', of('any')),
  cancelling: entry('', of('nat')),
  uncancel: entry('', of('nat')),
  get_loop: entry('', () => new Type(named('loop', 'object'))),
}

const lock: Methods = {
  acquire: entry('', coroutine('bool')),
  release: entry('', of('void')),
  locked: entry('', of('bool')),
}

const queue: Methods = {
  put: entry('item', puts('item', coroutine('void'))),
  put_nowait: entry('item', puts('item', of('void'))),
  get: entry('', (call) => call.infer.awaitable(call.at, 'coro', elem(call))),
  get_nowait: entry('', elem),
  task_done: entry('', of('void')),
  join: entry('', coroutine('void')),
  qsize: entry('', of('nat')),
  empty: entry('', of('bool')),
  full: entry('', of('bool')),
  shutdown: entry('immediate', of('void')),
}

const loop: Methods = {
  time: entry('', of('float')),
  call_soon: entry('callback', calls(() => new Type(named('handle', 'object')))),
  call_later: entry('delay callback', calls(() => new Type(named('TimerHandle', 'object')))),
  call_at: entry('when callback', calls(() => new Type(named('TimerHandle', 'object')))),
  create_task: entry('coro | name context eager_start', makeTask),
  create_future: entry('', ({ at, infer }) => infer.awaitable(at, 'future', new Type()), ({ on, w, node }) => `${on}.createFuture<${w.ts(union(...w.typeOf(node).of('future').map((atom) => atom.result)))}>()`),
  stop: entry('', of('void')),
}

const predicate: Returns = (call) => {
  call.infer.invoke(call.at, call.arg('predicate'), [])
  return call.infer.awaitable(call.at, 'coro', new Type('bool'))
}

/** `xs.sort()`: numbers by their difference, everything else as `sorted` does it. */
function sort(call: CallCode): Code | string {
  const { w, on, arg, onAtom } = call
  const type = onAtom !== null && 'elem' in onAtom ? onAtom.elem : new Type()
  if (call.node.keywords.length === 0 && type.only('nat', 'int', 'float', 'fraction')) return `${on}.sort((a, b) => a - b)`
  const options = ['key', 'reverse'].flatMap((name) => { const given = arg(name); return given === null ? [] : [`${name}: ${w.code(given)}`] })
  return `${on}.splice(0, Infinity, ...${w.python('sorted')}(${on}${options.length === 0 ? '' : `, { ${options.join(', ')} }`}))`
}

const list: Methods = {
  append: entry('item', puts('item', of('void')), ({ on, code }) => `${on}.push(${code('item')})`),
  extend: entry('items', putsAll(of('void')), ({ on, arg, w, node }) => { const items = arg('items'); return items === null ? w.problem(node, 'extend needs items') : `${on}.push(...${w.iterable(items).text})` }),
  insert: entry('index item', puts('item', of('void')), ({ on, code }) => `${on}.splice(${code('index')}, 0, ${code('item')})`),
  pop: entry('index', elem, helper('pop')),
  remove: entry('item', of('void'), helper('remove')),
  index: entry('item', of('nat'), helper('indexOf')),
  count: entry('item', of('nat'), ({ on, code }) => `${on}.filter((each) => each === ${code('item', LEVEL.equality + 1)}).length`),
  sort: entry('| key reverse', (call) => { call.infer.invoke(call.at, call.arg('key'), [elem(call)]); return new Type('void') }, sort),
  reverse: entry('', of('void')),
  clear: entry('', of('void'), ({ on }) => ({ text: `${on}.length = 0`, level: LEVEL.yield })),
  copy: entry('', (call) => call.infer.list(call.at, elem(call)), ({ on }) => `[...${on}]`),
}

const entries: Returns = (call) => call.infer.list(call.at, call.infer.tuple(call.at, [dict(call)?.key ?? new Type(), value(call)]), 'iter')

const text = (write: (call: CallCode) => Code | string, returns: Returns = of('str'), signature = 'a b'): Api => entry(signature, returns, write)
const strings: Returns = ({ at, infer }) => infer.list(at, new Type('str'))

export const METHODS: Readonly<Record<string, Methods>> = {
  future,
  task: future,
  Lock: lock,
  Semaphore: lock,
  Condition: { ...lock, wait: entry('', coroutine('bool')), wait_for: entry('predicate', predicate), notify: entry('n', of('void')), notify_all: entry('', of('void')) },
  Event: { set: entry('', of('void')), clear: entry('', of('void')), is_set: entry('', of('bool')), wait: entry('', coroutine('bool')) },
  Barrier: { wait: entry('', coroutine('nat')), reset: entry('', coroutine('void')), abort: entry('', coroutine('void')) },
  TaskGroup: { create_task: entry('coro | name context eager_start', makeTask) },
  Timeout: {
    when: entry('', () => new Type('float', 'none')),
    expired: entry('', of('bool')),
    reschedule: entry('when', of('void')),
  },
  handle: { cancel: entry('', of('void')), cancelled: entry('', of('bool')) },
  TimerHandle: { cancel: entry('', of('void')), cancelled: entry('', of('bool')), when: entry('', of('float')) },
  loop,
  queue,
  var: {
    get: entry('default', (call) => union(call.on?.kind === 'var' ? call.on.value : new Type(), call.arg('default'))),
    set: entry('value', (call) => {
      if (call.on?.kind === 'var') call.infer.grow(call.on.value, call.arg('value'))
      return new Type(named('token', 'object'))
    }),
    reset: entry('token', of('void')),
  },
  context: { run: entry('callback', (call) => call.infer.invoke(call.at, call.arg('callback'), call.rest)) },
  Random: {
    random: entry('', of('float'), called('random')),
    uniform: entry('a b', of('float'), called('uniform')),
    randint: entry('a b', ({ arg }) => arg('a').only('nat') ? new Type('nat') : new Type('int'), called('randint')),
    randrange: entry('a b', of('nat'), called('randrange')),
    choice: entry('items', (call) => call.infer.iterated(call.at, call.arg('items')), draws('choice')),
    shuffle: entry('items', of('void'), draws('shuffle')),
    sample: entry('items k', (call) => call.infer.list(call.at, call.infer.iterated(call.at, call.arg('items'))), draws('sample')),
  },
  list,
  deque: {
    ...list,
    popleft: entry('', elem, helper('popLeft')),
    appendleft: entry('item', puts('item', of('void')), ({ on, code }) => `${on}.unshift(${code('item')})`),
    pop: entry('', elem, helper('pop')),
    copy: entry('', (call) => call.infer.list(call.at, elem(call), 'deque'), helper('copyDeque')),
  },
  set: {
    add: entry('item', puts('item', of('void'))),
    discard: entry('item', of('void'), called('delete')),
    remove: entry('item', of('void'), helper('remove')),
    clear: entry('', of('void')),
    update: entry('items', putsAll(of('void')), ({ on, arg, w, node }) => { const items = arg('items'); return items === null ? w.problem(node, 'update needs items') : `for (const each of ${w.iterable(items).text}) ${on}.add(each)` }),
    // Of what `wait` gives, often one is done.
    pop: entry('', elem, ({ w, node, on, onAtom }) => onAtom?.kind === 'set' && onAtom.elem.only('task', 'future') ? `${w.python('popOnly')}(${on})` : w.problem(node, 'set.pop(): which item it takes is an accident')),
    copy: entry('', (call) => call.infer.list(call.at, elem(call), 'set'), ({ on, w, onAtom }) => `new ${w.setOf(onAtom?.kind === 'set' ? onAtom.elem : new Type())}(${on})`),
  },
  dict: {
    get: entry('key default', (call) => union(value(call), call.expression('default') === null ? new Type('none') : call.arg('default')), ({ on, code, arg, onAtom }) => ({
      text: onAtom?.kind === 'dict' && onAtom.flavour !== 'dict' ? `${on}.has(${code('key')}) ? ${on}.get(${code('key')})! : ${code('default') || 'null'}` : `${on}.get(${code('key')}) ?? ${arg('default') === null ? 'null' : code('default', LEVEL.or + 1)}`,
      level: onAtom?.kind === 'dict' && onAtom.flavour !== 'dict' ? LEVEL.conditional : LEVEL.or,
    })),
    keys: entry('', (call) => call.infer.list(call.at, dict(call)?.key ?? new Type(), 'iter')),
    values: entry('', (call) => call.infer.list(call.at, value(call), 'iter')),
    items: entry('', entries, ({ on }) => `${on}.entries()`),
    pop: entry('key default', (call) => union(value(call), call.arg('default')), helper('take')),
    clear: entry('', of('void')),
    setdefault: entry('key value', (call) => { call.infer.grow(dict(call)?.key ?? new Type(), call.arg('key')); call.infer.grow(value(call), call.arg('value')); return value(call) }, helper('setDefault')),
    update: entry('items', (call) => {
      for (const other of call.arg('items').of('dict')) {
        call.infer.grow(dict(call)?.key ?? new Type(), other.key)
        call.infer.grow(value(call), other.value)
      }
      return new Type('void')
    }, ({ on, arg, w, node }) => { const items = arg('items'); return items === null || !w.typeOf(items).only('dict') ? w.problem(node, 'update with something other than a dict') : `for (const [key, each] of ${w.code(items)}) ${on}.set(key, each)` }),
    copy: entry('', (call) => call.infer.dict(call.at, dict(call)?.key ?? new Type(), value(call)), ({ on, w, onAtom }) => `new ${w.mapOf(onAtom?.kind === 'dict' ? onAtom.key : new Type())}(${on})`),
  },
  Counter: {
    most_common: entry('n', (call) => call.infer.list(call.at, call.infer.tuple(call.at, [dict(call)?.key ?? new Type(), new Type('int')])), helper('mostCommon')),
    update: entry('items', (call) => { call.infer.grow(dict(call)?.key ?? new Type(), call.infer.iterated(call.at, call.arg('items'))); return new Type('void') }, ({ on, arg, w, node }) => {
      const items = arg('items')
      return items === null ? w.problem(node, 'update needs items') : `for (const each of ${w.iterable(items).text}) ${on}.set(each, ${on}.get(each) + 1)`
    }),
  },
  tuple: {
    index: list['index'] as Api,
    count: list['count'] as Api,
  },
  str: {
    format: text(({ w, node }) => w.problem(node, 'format of something other than a literal')),
    upper: text(called('toUpperCase')),
    lower: text(called('toLowerCase')),
    title: text(({ on }) => `${on}.replace(/[a-z]+/gi, (word) => word.charAt(0).toUpperCase() + word.slice(1).toLowerCase())`),
    capitalize: text(({ on }) => `${on}.replace(/^.[^]*$/, (word) => word.charAt(0).toUpperCase() + word.slice(1).toLowerCase())`),
    strip: text(({ on, w, node }) => node.args.length > 0 ? w.problem(node, 'strip with characters') : `${on}.trim()`),
    lstrip: text(({ on, w, node }) => node.args.length > 0 ? w.problem(node, 'lstrip with characters') : `${on}.trimStart()`),
    rstrip: text(({ on, w, node }) => node.args.length > 0 ? w.problem(node, 'rstrip with characters') : `${on}.trimEnd()`),
    split: text(({ on, w, node, code }) => node.args.length > 1 ? w.problem(node, 'split with a limit') : code('a') === '' ? `${w.python('words')}(${on})` : `${on}.split(${code('a')})`, strings),
    splitlines: text(({ on }) => `${on}.split('\\n')`, strings),
    join: entry('items', of('str'), ({ on, arg, w, node }) => {
      const items = arg('items')
      return items === null ? w.problem(node, 'join needs items') : `${w.array(items).text}.join(${on})`
    }),
    startswith: text(({ on, w, node, arg }) => arg('a') !== null && w.typeOf(arg('a')!).only('str') ? `${on}.startsWith(${w.code(arg('a')!)})` : w.problem(node, 'startswith of several'), of('bool')),
    endswith: text(({ on, w, node, arg }) => arg('a') !== null && w.typeOf(arg('a')!).only('str') ? `${on}.endsWith(${w.code(arg('a')!)})` : w.problem(node, 'endswith of several'), of('bool')),
    replace: text(called('replaceAll')),
    find: text(called('indexOf'), of('int')),
    count: text(({ on, code }) => ({ text: `${on}.split(${code('a')}).length - 1`, level: LEVEL.sum }), of('nat')),
    ljust: text(called('padEnd')),
    rjust: text(called('padStart')),
    center: text(({ on, w, code }) => `${w.python('format')}(${on}, \`^\${${code('a')}}\`)`),
    zfill: text(({ on, code }) => `${on}.padStart(${code('a')}, '0')`),
    isdigit: text(({ on }) => `/^\\d+$/.test(${on})`, of('bool')),
    isupper: text(({ on, w, node }) => { void on; return w.problem(node, 'isupper') }, of('bool')),
  },
}
