// The methods of asyncio's objects and of Python's containers and strings.
import { LEVEL, type Api, type CallCode, type CallTypes, type Code } from './entry.ts'
import type { Expression } from './tree.ts'
import { elementsOf, named, Type, union, type Of, type PlainKind } from './types.ts'

type Returns = (call: CallTypes) => Type
type Methods = Readonly<Record<string, Api>>

const of = (...kinds: PlainKind[]): Returns => () => new Type(...kinds)
const coroutine = (...kinds: PlainKind[]): Returns => ({ at, infer }) => infer.awaitable(at, 'coro', new Type(...kinds))
const method = (signature: string, returns: Returns, write?: Api['write']): Api => ({ signature, returns, ...(write === undefined ? {} : { write }) })
/** The same method under another name, or with the text that `text` makes of the object and the arguments. */
const as = (text: (call: CallCode) => Code | string): NonNullable<Api['write']> => text
const all = ({ node, w }: CallCode): string => node.args.map((item) => item.type === 'Starred' ? `...${w.iterable(item.value).text}` : w.expression(item).text).join(', ')
const called = (name: string): NonNullable<Api['write']> => (call) => `${call.on}.${name}(${all(call)})`
/** What `random` draws from has a length. */
export const drawn = (w: CallCode['w'], item: Expression): string => (w.typeOf(item).has('iter', 'dict') ? w.array(item) : w.expression(item)).text
const draws = (name: string): NonNullable<Api['write']> => (call) => `${call.on}.${name}(${call.node.args.map((item) => drawn(call.w, item)).join(', ')})`
const helper = (name: string): NonNullable<Api['write']> => (call) => `${call.w.use(name, './python.ts')}(${[call.on, ...call.node.args.map((item) => call.w.expression(item).text)].join(', ')})`

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
const makeTask: Returns = ({ at, infer, arg }) => infer.awaitable(at, 'task', infer.awaited(arg('coro')))

const future: Methods = {
  cancel: method('message', of('bool')),
  done: method('', of('bool')),
  cancelled: method('', of('bool')),
  result: method('', result),
  exception: method('', () => new Type(named('Exception', 'error'), 'none'), as(({ on }) => ({ text: `${on}.exception() as Error | null`, level: LEVEL.relation }))),
  set_result: method('value', (call) => {
    call.infer.grow(result(call), call.arg('value'))
    return new Type('void')
  }),
  set_exception: method('error', of('void'), as(({ on, arg, w, node }) => {
    const error = arg('error')
    if (error === null) return w.problem(node, 'set_exception needs an error')
    // A class alone means an error made without arguments.
    return `${on}.setException(${w.typeOf(error).only('class', 'errorClass') ? `new ${w.expression(error).text}()` : w.expression(error).text})`
  })),
  add_done_callback: method('callback', (call) => {
    call.infer.invoke(call.at, call.arg('callback'), [new Type(call.on ?? 'any')])
    return new Type('void')
  }),
  remove_done_callback: method('callback', of('nat')),
  get_name: method('', of('str')),
  set_name: method('name', of('void')),
  get_coro: method('', of('any')),
  cancelling: method('', of('nat')),
  uncancel: method('', of('nat')),
  get_loop: method('', () => new Type(named('loop', 'object'))),
}

const lock: Methods = {
  acquire: method('', coroutine('bool')),
  release: method('', of('void')),
  locked: method('', of('bool')),
}

const queue: Methods = {
  put: method('item', puts('item', coroutine('void'))),
  put_nowait: method('item', puts('item', of('void'))),
  get: method('', (call) => call.infer.awaitable(call.at, 'coro', elem(call))),
  get_nowait: method('', elem),
  task_done: method('', of('void')),
  join: method('', coroutine('void')),
  qsize: method('', of('nat')),
  empty: method('', of('bool')),
  full: method('', of('bool')),
  shutdown: method('immediate', of('void')),
}

const loop: Methods = {
  time: method('', of('float')),
  call_soon: method('callback', calls(() => new Type(named('handle', 'object')))),
  call_later: method('delay callback', calls(() => new Type(named('TimerHandle', 'object')))),
  call_at: method('when callback', calls(() => new Type(named('TimerHandle', 'object')))),
  create_task: method('coro | name context eager_start', makeTask),
  create_future: method('', ({ at, infer }) => infer.awaitable(at, 'future', new Type()), as(({ on, w, node }) => `${on}.createFuture<${w.ts(union(...w.typeOf(node).of('future').map((atom) => atom.result)))}>()`)),
  stop: method('', of('void')),
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
  const options = ['key', 'reverse'].flatMap((name) => { const given = arg(name); return given === null ? [] : [`${name}: ${w.expression(given).text}`] })
  return `${on}.splice(0, Infinity, ...${w.use('sorted', './python.ts')}(${on}${options.length === 0 ? '' : `, { ${options.join(', ')} }`}))`
}

const list: Methods = {
  append: method('item', puts('item', of('void')), as(({ on, code }) => `${on}.push(${code('item')})`)),
  extend: method('items', putsAll(of('void')), as(({ on, arg, w, node }) => { const items = arg('items'); return items === null ? w.problem(node, 'extend needs items') : `${on}.push(...${w.iterable(items).text})` })),
  insert: method('index item', puts('item', of('void')), as(({ on, code }) => `${on}.splice(${code('index')}, 0, ${code('item')})`)),
  pop: method('index', elem, helper('pop')),
  remove: method('item', of('void'), helper('remove')),
  index: method('item', of('nat'), helper('indexOf')),
  count: method('item', of('nat'), as(({ on, code }) => `${on}.filter((each) => each === ${code('item', LEVEL.equality + 1)}).length`)),
  sort: method('| key reverse', (call) => { call.infer.invoke(call.at, call.arg('key'), [elem(call)]); return new Type('void') }, sort),
  reverse: method('', of('void')),
  clear: method('', of('void'), as(({ on }) => ({ text: `${on}.length = 0`, level: LEVEL.yield }))),
  copy: method('', (call) => call.infer.list(call.at, elem(call)), as(({ on }) => `[...${on}]`)),
}

const entries: Returns = (call) => call.infer.list(call.at, call.infer.tuple(call.at, [dict(call)?.key ?? new Type(), value(call)]), 'iter')

const text = (write: (call: CallCode) => Code | string, returns: Returns = of('str'), signature = 'a b'): Api => method(signature, returns, write)
const strings: Returns = ({ at, infer }) => infer.list(at, new Type('str'))

export const METHODS: Readonly<Record<string, Methods>> = {
  future,
  task: future,
  Lock: lock,
  Semaphore: lock,
  Condition: { ...lock, wait: method('', coroutine('bool')), wait_for: method('predicate', predicate), notify: method('n', of('void')), notify_all: method('', of('void')) },
  Event: { set: method('', of('void')), clear: method('', of('void')), is_set: method('', of('bool')), wait: method('', coroutine('bool')) },
  Barrier: { wait: method('', coroutine('nat')), reset: method('', coroutine('void')), abort: method('', coroutine('void')) },
  TaskGroup: { create_task: method('coro | name context eager_start', makeTask) },
  Timeout: {
    when: method('', () => new Type('float', 'none')),
    expired: method('', of('bool')),
    reschedule: method('when', of('void')),
  },
  handle: { cancel: method('', of('void')), cancelled: method('', of('bool')) },
  TimerHandle: { cancel: method('', of('void')), cancelled: method('', of('bool')), when: method('', of('float')) },
  loop,
  queue,
  var: {
    get: method('default', (call) => union(call.on?.kind === 'var' ? call.on.value : new Type(), call.arg('default'))),
    set: method('value', (call) => {
      if (call.on?.kind === 'var') call.infer.grow(call.on.value, call.arg('value'))
      return new Type(named('token', 'object'))
    }),
    reset: method('token', of('void')),
  },
  context: { run: method('callback', (call) => call.infer.invoke(call.at, call.arg('callback'), call.rest)) },
  Random: {
    random: method('', of('float'), called('random')),
    uniform: method('a b', of('float'), called('uniform')),
    randint: method('a b', ({ arg }) => arg('a').only('nat') ? new Type('nat') : new Type('int'), called('randint')),
    randrange: method('a b', of('nat'), called('randrange')),
    choice: method('items', (call) => call.infer.iterated(call.at, call.arg('items')), draws('choice')),
    shuffle: method('items', of('void'), draws('shuffle')),
    sample: method('items k', (call) => call.infer.list(call.at, call.infer.iterated(call.at, call.arg('items'))), draws('sample')),
  },
  list,
  deque: {
    ...list,
    popleft: method('', elem, helper('popLeft')),
    appendleft: method('item', puts('item', of('void')), as(({ on, code }) => `${on}.unshift(${code('item')})`)),
    pop: method('', elem, helper('pop')),
  },
  set: {
    add: method('item', puts('item', of('void'))),
    discard: method('item', of('void'), called('delete')),
    remove: method('item', of('void'), helper('remove')),
    clear: method('', of('void')),
    update: method('items', putsAll(of('void')), as(({ on, arg, w, node }) => { const items = arg('items'); return items === null ? w.problem(node, 'update needs items') : `for (const each of ${w.iterable(items).text}) ${on}.add(each)` })),
    pop: method('', elem, as(({ w, node }) => w.problem(node, 'set.pop(): which item it takes is an accident'))),
    copy: method('', (call) => call.infer.list(call.at, elem(call), 'set'), as(({ on }) => `new Set(${on})`)),
  },
  dict: {
    get: method('key default', (call) => union(value(call), call.expression('default') === null ? new Type('none') : call.arg('default')), as(({ on, code, arg, onAtom }) => ({
      text: onAtom?.kind === 'dict' && onAtom.flavour !== 'dict' ? `${on}.has(${code('key')}) ? ${on}.get(${code('key')})! : ${code('default') || 'null'}` : `${on}.get(${code('key')}) ?? ${arg('default') === null ? 'null' : code('default', LEVEL.or + 1)}`,
      level: onAtom?.kind === 'dict' && onAtom.flavour !== 'dict' ? LEVEL.conditional : LEVEL.or,
    }))),
    keys: method('', (call) => call.infer.list(call.at, dict(call)?.key ?? new Type(), 'iter')),
    values: method('', (call) => call.infer.list(call.at, value(call), 'iter')),
    items: method('', entries, as(({ on }) => `${on}.entries()`)),
    pop: method('key default', (call) => union(value(call), call.arg('default')), helper('take')),
    clear: method('', of('void')),
    setdefault: method('key value', (call) => { call.infer.grow(dict(call)?.key ?? new Type(), call.arg('key')); call.infer.grow(value(call), call.arg('value')); return value(call) }, helper('setDefault')),
    update: method('items', (call) => {
      for (const other of call.arg('items').of('dict')) {
        call.infer.grow(dict(call)?.key ?? new Type(), other.key)
        call.infer.grow(value(call), other.value)
      }
      return new Type('void')
    }, as(({ on, arg, w, node }) => { const items = arg('items'); return items === null || !w.typeOf(items).only('dict') ? w.problem(node, 'update with something other than a dict') : `for (const [key, each] of ${w.expression(items).text}) ${on}.set(key, each)` })),
    copy: method('', (call) => call.infer.dict(call.at, dict(call)?.key ?? new Type(), value(call)), as(({ on }) => `new Map(${on})`)),
  },
  Counter: {
    most_common: method('n', (call) => call.infer.list(call.at, call.infer.tuple(call.at, [dict(call)?.key ?? new Type(), new Type('int')])), helper('mostCommon')),
    update: method('items', (call) => { call.infer.grow(dict(call)?.key ?? new Type(), call.infer.iterated(call.at, call.arg('items'))); return new Type('void') }, as(({ on, arg, w, node }) => {
      const items = arg('items')
      return items === null ? w.problem(node, 'update needs items') : `for (const each of ${w.iterable(items).text}) ${on}.set(each, ${on}.get(each) + 1)`
    })),
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
    split: text(({ on, w, node, code }) => node.args.length > 1 ? w.problem(node, 'split with a limit') : code('a') === '' ? `${w.use('words', './python.ts')}(${on})` : `${on}.split(${code('a')})`, strings),
    splitlines: text(({ on }) => `${on}.split('\\n')`, strings),
    join: method('items', of('str'), as(({ on, arg, w, node }) => {
      const items = arg('items')
      return items === null ? w.problem(node, 'join needs items') : `${w.array(items).text}.join(${on})`
    })),
    startswith: text(({ on, w, node, arg }) => arg('a') !== null && w.typeOf(arg('a')!).only('str') ? `${on}.startsWith(${w.expression(arg('a')!).text})` : w.problem(node, 'startswith of several'), of('bool')),
    endswith: text(({ on, w, node, arg }) => arg('a') !== null && w.typeOf(arg('a')!).only('str') ? `${on}.endsWith(${w.expression(arg('a')!).text})` : w.problem(node, 'endswith of several'), of('bool')),
    replace: text(called('replaceAll')),
    find: text(called('indexOf'), of('int')),
    count: text(({ on, code }) => ({ text: `${on}.split(${code('a')}).length - 1`, level: LEVEL.sum }), of('nat')),
    ljust: text(called('padEnd')),
    rjust: text(called('padStart')),
    center: text(({ on, w, code }) => `${w.use('format', './python.ts')}(${on}, \`^\${${code('a')}}\`)`),
    zfill: text(({ on, code }) => `${on}.padStart(${code('a')}, '0')`),
    isdigit: text(({ on }) => `/^\\d+$/.test(${on})`, of('bool')),
    isupper: text(({ on, w, node }) => { void on; return w.problem(node, 'isupper') }, of('bool')),
  },
}

export { elementsOf }
