// The functions, classes and methods that are translated: what each gives, and how it is written. Without a `write`, a function
// has its own name in camelCase, positional arguments as they are, and keywords as an object.
import { lambda, LEVEL, tight, type Code } from './code.ts'
import { entry, makeTask, of, type Api, type CallCode, type CallTypes, type Inferring, type Returns, type Writing } from './entry.ts'
import { drawn, METHODS } from './methods.ts'
import { isNone, type Call, type Expression } from './tree.ts'
import { elementsOf, named, Type, union, type Atom, type Kind, type PlainKind } from './types.ts'

const object = (name: string): Returns => () => new Type(named(name, 'object'))
const construct = (name: string) => ({ w, code, node }: CallCode): string => `new ${w.use(name)}(${node.args.length + node.keywords.length === 0 ? '' : [code('value') || code('lock') || code('parties')].join('')})`

const queue = (name: string): Api => entry('maxsize', ({ at, infer }) => infer.queue(at, new Type(), name), ({ w, node, code }) => {
  const [atom] = w.typeOf(node).of('queue')
  const elem = atom === undefined ? new Type() : atom.elem
  return `new ${w.use(name)}<${w.ts(elem)}>(${code('maxsize')})`
})

const seconds = ({ w }: CallCode): string => w.insideCoroutine ? `${w.use('getRunningLoop')}().time()` : `${w.python('now')}()`

const iterated = (call: CallTypes, name: string): Type => call.infer.iterated(call.at, call.arg(name))

function gather({ w, node, arg }: CallCode): string {
  const [first] = node.args
  const options = arg('return_exceptions')
  const given = options === null ? '' : `, { returnExceptions: ${w.code(options)} }`
  if (node.args.length === 1 && first?.type === 'Starred') return `${w.use('gather')}(${w.array(first.value).text}${given})`
  const items = node.args.map((item) => item.type === 'Starred' ? `...${w.iterable(item.value).text}` : w.code(item))
  return `${w.use('gather')}([${items.join(', ')}]${given})`
}

/** An iterable with a function over each item, without making a list of a comprehension first. */
function quantified(method: 'some' | 'every'): NonNullable<Api['write']> {
  return ({ w, node, arg }) => {
    const items = arg('iterable')
    if (items === null) return w.problem(node, `${method === 'some' ? 'any' : 'all'} needs something to go through`)
    if ((items.type === 'GeneratorExp' || items.type === 'ListComp') && items.generators.length === 1 && items.generators[0]?.ifs.length === 0) {
      const [generator] = items.generators
      return `${w.array(generator.iter).text}.${method}(${lambda(w.code(generator.target), w.test(items.elt).text).text})`
    }
    return `${w.array(items).text}.${method}((each) => each)`
  }
}

/** `min` and `max`: of numbers by Math, of everything else by comparing. */
function extreme(name: 'min' | 'max'): Api {
  return entry('iterable | key default', (call) => {
    if (call.rest.length > 0) return union(call.arg('iterable'), ...call.rest)
    const found = union(iterated(call, 'iterable'), call.arg('default'))
    const key = call.arg('key')
    if (key.atoms.size > 0) call.infer.invoke(call.at, key, [iterated(call, 'iterable')])
    return found
  }, ({ w, node, arg }) => {
    const key = arg('key')
    const otherwise = arg('default')
    if (node.args.length > 1 && key === null && node.args.every((item) => w.typeOf(item).only('nat', 'int', 'float', 'fraction', 'bool'))) {
      return `Math.${name}(${node.args.map((item) => w.code(item)).join(', ')})`
    }
    const [first] = node.args
    const items = node.args.length === 1 && first !== undefined ? w.iterable(first).text : `[${node.args.map((item) => w.code(item)).join(', ')}]`
    const others = [key === null ? (otherwise === null ? '' : 'undefined') : w.code(key), otherwise === null ? '' : w.code(otherwise)].filter((text) => text !== '')
    return `${w.python(name)}(${[items, ...others].join(', ')})`
  })
}

function sumOf({ w, node, arg, code }: CallCode): Code | string {
  const items = arg('iterable')
  if (items === null) return w.problem(node, 'sum needs something to go through')
  if (w.typeOf(node).has('list', 'tuple')) return w.problem(node, 'sum of lists: write a comprehension')
  // `sum(1 for … if …)` counts.
  return `${w.python('sum')}(${[w.iterable(items).text, code('start')].filter((text) => text !== '').join(', ')})`
}

/** Types that are one in JavaScript: a test for some of them is one for all. */
const ALIKE: Readonly<Record<string, Kind[]>[]> = [{ int: ['nat', 'int', 'bool'], float: ['float', 'fraction'] }, { list: ['list'], tuple: ['tuple'], deque: ['deque'] }]

function isinstance({ w, arg, node }: CallCode): Code {
  const [value, classes] = [arg('value'), arg('classes')]
  if (value === null || classes === null) return w.problem(node, 'isinstance needs a value and a class')
  const type = w.typeOf(value)
  const names = (classes.type === 'Tuple' ? classes.elts : [classes]).map((one) => one.type === 'Name' ? one.id : '')
  for (const group of ALIKE) {
    if (!names.some((name) => name in group)) continue
    const others = Object.entries(group).filter(([name]) => !names.includes(name)).flatMap(([, kinds]) => kinds)
    if (type.has(...others) || (names.includes('int') && type.has('bool'))) return w.problem(node, `a test for ${names.join(' or ')} of what may also be another kind, which is the same in JavaScript`)
  }
  return node.isPattern === true && classes.type === 'Tuple' ? tight(`Array.isArray(${w.code(value)})`) : w.instanceOf(tight(w.code(value, LEVEL.relation)), classes)
}

/** `int(x)` of a float or a string. */
function toInt({ w, arg, node }: CallCode): Code | string {
  const value = arg('value')
  if (value === null) return '0'
  const type = w.typeOf(value)
  if (node.args.length > 1) return w.problem(node, 'int with a base')
  if (type.only('nat', 'int')) return w.expression(value)
  if (type.only('bool')) return `Number(${w.code(value)})`
  if (type.only('float', 'fraction', 'nat', 'int')) return `Math.trunc(${w.code(value)})`
  return `${w.python('toInt')}(${w.code(value)})`
}

function length({ w, arg, node }: CallCode): Code | string {
  const value = arg('value')
  if (value === null) return w.problem(node, 'len needs a value')
  const type = w.typeOf(value).without('none', 'void')
  const code = w.present(value, LEVEL.call)
  if (type.only('set', 'dict')) return `${code}.size`
  if (type.only('list', 'deque', 'tuple', 'str')) return `${code}.length`
  if (type.only('instance')) return `${code}.length`
  return w.problem(value, 'it is not known what this is, and so not how its length is asked for')
}

function sortedOf({ w, arg, node }: CallCode): Code | string {
  const items = arg('iterable')
  if (items === null) return w.problem(node, 'sorted needs something to sort')
  const options = ['key', 'reverse'].flatMap((name) => { const value = arg(name); return value === null || value.type === 'Constant' && value.kind === 'none' ? [] : [`${name}: ${w.code(value)}`] })
  return `${w.python('sorted')}(${w.iterable(items).text}${options.length === 0 ? '' : `, { ${options.join(', ')} }`})`
}

/** A container made of an iterable. */
function collected(kind: 'list' | 'set' | 'deque'): Api {
  return entry('iterable maxlen', (call) => call.infer.list(call.at, call.expression('iterable') === null ? new Type() : iterated(call, 'iterable'), kind), ({ w, node, arg, code }) => {
    const items = arg('iterable')
    const maxlen = arg('maxlen')
    if (maxlen !== null && !isNone(maxlen)) {
      const type = w.typeOf(node)
      if (kind !== 'deque' || !w.typeOf(maxlen).only('nat', 'int')) return w.problem(node, 'a deque whose maxlen may be None')
      return `new ${w.python('BoundedDeque')}<${w.ts(elementsOf(type, kind))}>(${code('maxlen')}${items === null ? '' : `, ${w.iterable(items).text}`})`
    }
    const elem = elementsOf(w.typeOf(node), kind)
    if (kind === 'set') {
      w.checkKeys(node, elem)
      if (elem.has('tuple')) return `new ${w.setOf(elem)}(${items === null ? '' : w.iterable(items).text})`
      return items === null ? `new Set<${w.ts(elem)}>()` : `new Set(${w.iterable(items).text})`
    }
    if (items === null) return '[]'
    return items.type === 'ListComp' || items.type === 'GeneratorExp' ? w.array(items) : `[...${w.iterable(items).text}]`
  })
}

const random = (signature: string, returns: Returns): Api => entry(signature, returns, ({ w, node, arg }) => {
  const func = node.func.type === 'Attribute' ? node.func.attr : node.func.type === 'Name' ? node.func.id : ''
  void arg
  return `${w.use('random', './random.ts')}.${func}(${node.args.map((item) => drawn(w, item)).join(', ')})`
})

const chosen: Returns = (call) => iterated(call, 'items')
const contextVar: Returns = ({ at, infer, arg }) => {
  const atom = infer.make(at, 'var', () => ({ kind: 'var' as const, value: new Type() }))
  infer.grow(atom.value, arg('default'))
  return new Type(atom)
}

/** What a type of Python's makes of nothing, for a place of this type. */
export function emptyOf(w: Writing, make: Expression, type: Type): string | null {
  switch (make.type === 'Name' ? make.id : '') {
    case 'int': case 'float': return '0'
    case 'list': return '[]'
    case 'str': return "''"
    case 'set': return `new ${w.setOf(elementsOf(type, 'set'))}()`
    case 'dict': return `new ${w.mapOf(union(...type.of('dict').map(({ key }) => key)))}()`
    default: return null
  }
}

export const API: Readonly<Record<string, Api>> = {
  // asyncio
  'asyncio.run': entry('coro', ({ infer, arg }) => infer.awaited(arg('coro')), ({ w, code }) => ({ text: `await ${w.use('run')}(${code('coro')})`, level: LEVEL.unary })),
  'asyncio.sleep': entry('delay result', ({ at, infer, arg, expression }) => infer.awaitable(at, 'coro', expression('result') === null ? new Type('void') : arg('result'))),
  'asyncio.create_task': entry('coro | name context eager_start', makeTask),
  'asyncio.ensure_future': entry('coro', ({ at, infer, arg }) => infer.awaitable(at, 'future', infer.awaited(arg('coro')))),
  'asyncio.gather': entry('| return_exceptions', (call) => {
    const { at, infer, arg, rest } = call
    const raised = arg('return_exceptions').atoms.size > 0 ? new Type(named('BaseException', 'error')) : new Type()
    const spread = (at as Call).args.some(({ type }) => type === 'Starred')
    const results = rest.map((type) => union(infer.awaited(type), raised))
    return infer.awaitable(at, 'future', spread ? infer.list(at, union(...results)) : infer.tuple(at, results, true), 'gather')
  }, gather),
  'asyncio.wait': entry('futures | timeout return_when', (call) => {
    const set = call.infer.list(call.at, iterated(call, 'futures'), 'set')
    return call.infer.awaitable(call.at, 'coro', call.infer.tuple(call.at, [set, set]), 'wait')
  }, ({ w, node, code }) => {
    if (!w.takesSets) return w.problem(node, 'the result of wait, except as done, pending = …')
    const options = [['timeout', code('timeout')], ['returnWhen', code('return_when')]].filter(([, text]) => text !== '').map(([name, text]) => `${name}: ${text}`)
    return `${w.use('wait')}(${code('futures')}${options.length === 0 ? '' : `, { ${options.join(', ')} }`})`
  }),
  'asyncio.wait_for': entry('awaitable timeout', ({ at, infer, arg }) => infer.awaitable(at, 'coro', infer.awaited(arg('awaitable'))), ({ w, arg, node, code }) => {
    const awaitable = arg('awaitable')
    return awaitable === null ? w.problem(node, 'wait_for needs something to wait for') : `${w.use('waitFor')}(${w.present(awaitable)}, ${code('timeout')})`
  }),
  'asyncio.as_completed': entry('awaitables | timeout', (call) => call.infer.list(call.at, call.infer.awaitable(call.at, 'coro', call.infer.awaited(iterated(call, 'awaitables'))), 'iter')),
  'asyncio.shield': entry('awaitable', ({ at, infer, arg }) => infer.awaitable(at, 'future', infer.awaited(arg('awaitable')))),
  'asyncio.timeout': entry('delay', object('Timeout')),
  'asyncio.timeout_at': entry('when', object('Timeout')),
  'asyncio.TaskGroup': entry('', object('TaskGroup')),
  'asyncio.Queue': queue('Queue'),
  'asyncio.LifoQueue': queue('LifoQueue'),
  'asyncio.PriorityQueue': queue('PriorityQueue'),
  'asyncio.Lock': entry('', object('Lock'), construct('Lock')),
  'asyncio.Event': entry('', object('Event'), construct('Event')),
  'asyncio.Condition': entry('lock', object('Condition'), construct('Condition')),
  'asyncio.Semaphore': entry('value', object('Semaphore'), construct('Semaphore')),
  'asyncio.BoundedSemaphore': entry('value', object('Semaphore'), construct('BoundedSemaphore')),
  'asyncio.Barrier': entry('parties', object('Barrier'), construct('Barrier')),
  'asyncio.Future': entry('', ({ at, infer }) => infer.awaitable(at, 'future', new Type()), ({ w, node }) => `new ${w.use('Future')}<${w.ts(elementOfFuture(w.typeOf(node)))}>()`),
  'asyncio.current_task': entry('', ({ at, infer }) => infer.awaitable(at, 'task', new Type('any')), ({ w }) => `${w.use('currentTask')}()!`),
  'asyncio.all_tasks': entry('', ({ at, infer }) => infer.list(at, infer.awaitable(at, 'task', new Type('any')), 'set'), ({ w }) => `new Set(${w.use('allTasks')}())`),
  'asyncio.get_running_loop': entry('', object('loop')),
  'asyncio.get_event_loop': entry('', object('loop'), ({ w }) => `${w.use('getRunningLoop')}()`),
  'asyncio.iscoroutine': entry('value', of('bool'), ({ w, code }) => `${w.use('isCoroutine')}(${code('value')})`),
  'asyncio.isfuture': entry('value', of('bool'), ({ w, code }) => `${w.use('isFuture')}(${code('value')})`),
  'asyncio.eager_task_factory': entry('', () => new Type()),
  // contextvars
  'contextvars.ContextVar': entry('name | default', contextVar, ({ w, node, code, arg }) => {
    const [atom] = w.typeOf(node).of('var')
    return `new ${w.use('ContextVar')}<${w.ts(atom?.value ?? new Type())}>(${code('name')}${arg('default') === null ? '' : `, { default: ${code('default')} }`})`
  }),
  'contextvars.copy_context': entry('', object('context'), ({ w }) => `${w.use('copyContext')}()`),
  // time
  'time.sleep': entry('delay', of('void'), ({ w, node, code }) => w.insideFunction ? `${w.use('blockingSleep', './pace.ts')}(${code('delay')})` : w.problem(node, 'time.sleep where no loop runs')),
  'time.perf_counter': entry('', of('float'), seconds),
  'time.monotonic': entry('', of('float'), seconds),
  'time.time': entry('', of('float'), seconds),
  // random
  'random.random': random('', of('float')),
  'random.uniform': random('a b', of('float')),
  'random.randint': random('a b', ({ arg }) => arg('a').only('nat') ? new Type('nat') : new Type('int')),
  'random.randrange': random('a b', of('nat')),
  'random.choice': random('items', chosen),
  'random.shuffle': random('items', of('void')),
  'random.sample': random('items k', (call) => call.infer.list(call.at, iterated(call, 'items'))),
  'random.seed': random('seed', of('void')),
  'random.Random': entry('seed', object('Random'), ({ w, code, node }) => code('seed') === '' ? w.problem(node, 'Random without a seed') : `new ${w.use('Random', './random.ts')}(${code('seed')})`),
  // other modules
  'collections.deque': collected('deque'),
  'collections.defaultdict': entry('make', ({ at, infer, arg }) => infer.dict(at, new Type(), infer.invoke(at, arg('make'), []), 'defaultdict'), ({ w, node, arg }) => {
    const [atom] = w.typeOf(node).of('dict')
    const make = arg('make')
    if (make === null || node.args.length > 1) return w.problem(node, 'a defaultdict with contents')
    w.checkKeys(node, atom?.key ?? new Type())
    const made = emptyOf(w, make, atom?.value ?? new Type())
    return `new ${w.python('DefaultMap')}<${w.ts(atom?.key ?? new Type())}, ${w.ts(atom?.value ?? new Type())}>(${made === null ? w.code(make) : `() => ${made}`})`
  }),
  'collections.Counter': entry('items', (call) => call.infer.dict(call.at, call.expression('items') === null ? new Type() : iterated(call, 'items'), new Type('int'), 'Counter'), ({ w, node, arg }) => {
    const items = arg('items')
    const [atom] = w.typeOf(node).of('dict')
    w.checkKeys(node, atom?.key ?? new Type())
    if (items !== null) return `${w.python('count')}(${w.iterable(items).text})`
    return `new ${w.python('DefaultMap')}<${w.ts(atom?.key ?? new Type())}, number>(() => 0)`
  }),
  'itertools.count': entry('start step', ({ at, infer, arg, expression }) => infer.list(at, expression('start') === null ? new Type('nat') : arg('start'), 'iter'), ({ w, code }) => `${w.python('range')}(${code('start') || '0'}, Infinity${code('step') === '' ? '' : `, ${code('step')}`})`),
  'itertools.cycle': entry('items', (call) => call.infer.list(call.at, iterated(call, 'items'), 'iter'), ({ w, arg, node }) => { const items = arg('items'); return items === null ? w.problem(node, 'cycle needs items') : `${w.python('cycle')}(${w.iterable(items).text})` }),
  'functools.partial': entry('func', ({ at, infer, arg, rest }) => {
    const atom = infer.make(at, 'partial', () => ({ kind: 'partial' as const, of: new Type(), args: rest.map(() => new Type()) }))
    infer.grow(atom.of, arg('func'))
    for (const [i, type] of rest.entries()) infer.grow(atom.args[i] ?? new Type(), type)
    infer.invoke(at, arg('func'), rest)
    return new Type(atom)
  }, ({ w, node, arg, rest }) => {
    const func = arg('func')
    if (func === null || node.keywords.length > 0) return w.problem(node, 'partial with keywords: write a lambda')
    return { text: `(...rest: any[]) => (${w.code(func, LEVEL.call)} as any)(${[...rest.map((item) => w.code(item)), '...rest'].join(', ')})`, level: LEVEL.yield }
  }),
  'contextlib.suppress': entry('', object('suppress')),
  'math.sqrt': entry('x', of('float'), ({ code }) => `Math.sqrt(${code('x')})`),
  'math.floor': entry('x', of('int'), ({ code }) => `Math.floor(${code('x')})`),
  'math.ceil': entry('x', of('int'), ({ code }) => `Math.ceil(${code('x')})`),
  'dataclasses.field': entry('| default default_factory', ({ at, infer, arg }) => union(arg('default'), infer.invoke(at, arg('default_factory'), []))),
  // Python's own functions
  'builtins.range': entry('start stop step', ({ at, infer, arg, expression }) => {
    const from = expression('stop') === null ? new Type('nat') : arg('start')
    const down = expression('step') !== null && !arg('step').only('nat')
    return infer.list(at, new Type(from.only('nat', 'bool') && !down ? 'nat' : 'int'), 'iter')
  }, ({ w, code }) => `${w.python('range')}(${code('stop') === '' ? `0, ${code('start')}` : `${code('start')}, ${code('stop')}`}${code('step') === '' ? '' : `, ${code('step')}`})`),
  'builtins.len': entry('value', of('nat'), length),
  'builtins.enumerate': entry('items start', (call) => call.infer.list(call.at, call.infer.tuple(call.at, [new Type('nat'), iterated(call, 'items')]), 'iter'), ({ w, arg, node, code }) => {
    const items = arg('items')
    if (items === null) return w.problem(node, 'enumerate needs something to go through')
    const start = arg('start')
    if (start === null && w.typeOf(items).only('list', 'deque', 'tuple')) return `${w.present(items, LEVEL.call)}.entries()`
    return `${w.python('enumerate')}(${w.iterable(items).text}, ${code('start') || '0'})`
  }),
  'builtins.zip': entry('', (call) => call.infer.list(call.at, call.infer.tuple(call.at, call.rest.map((type) => call.infer.iterated(call.at, type))), 'iter'), ({ w, node }) =>
    `${w.python('zip')}(${node.args.map((item) => item.type === 'Starred' ? `...${w.iterable(item.value).text}` : w.iterable(item).text).join(', ')})`),
  'builtins.map': entry('func items', (call) => call.infer.list(call.at, call.infer.invoke(call.at, call.arg('func'), [iterated(call, 'items')]), 'iter'), ({ w, node, arg }) => {
    const [func, items] = [arg('func'), arg('items')]
    if (func === null || items === null || node.args.length > 2) return w.problem(node, 'map of several lists')
    const isText = func.type === 'Name' && func.id === 'str'
    if (isText) return `${w.array(items).text}.map((each) => ${w.typeOf(items).of('list', 'tuple').length > 0 && elementsOf(w.typeOf(items), 'list').only('nat', 'int', 'str') ? 'String(each)' : `${w.python('str')}(each)`})`
    return `${w.array(items).text}.map((each) => ${w.code(func, LEVEL.call)}(each))`
  }),
  'builtins.filter': entry('func items', (call) => { call.infer.invoke(call.at, call.arg('func'), [iterated(call, 'items')]); return call.infer.list(call.at, iterated(call, 'items'), 'iter') }, ({ w, node, arg }) => {
    const [func, items] = [arg('func'), arg('items')]
    if (func === null || items === null || func.type !== 'Lambda') return w.problem(node, 'filter without a lambda: write a comprehension')
    return `${w.array(items).text}.filter(${w.code(func)})`
  }),
  'builtins.reversed': entry('items', (call) => call.infer.list(call.at, iterated(call, 'items'), 'iter'), ({ w, arg, node }) => {
    const items = arg('items')
    return items === null ? w.problem(node, 'reversed needs a list') : `[...${w.iterable(items).text}].reverse()`
  }),
  'builtins.sorted': entry('iterable | key reverse', (call) => {
    call.infer.invoke(call.at, call.arg('key'), [iterated(call, 'iterable')])
    return call.infer.list(call.at, iterated(call, 'iterable'))
  }, sortedOf),
  'builtins.sum': entry('iterable start', (call) => {
    const items = iterated(call, 'iterable')
    const start = call.expression('start') === null ? new Type('nat') : call.arg('start')
    if (items.only('nat', 'bool') && start.only('nat')) return new Type('nat')
    if (items.only('nat', 'int', 'bool')) return new Type('int')
    // An empty sum is a whole number.
    return items.has('float', 'fraction') ? union(new Type('float'), start.has('float') ? new Type() : new Type('nat')) : items
  }, sumOf),
  'builtins.min': extreme('min'),
  'builtins.max': extreme('max'),
  'builtins.any': entry('iterable', of('bool'), quantified('some')),
  'builtins.all': entry('iterable', of('bool'), quantified('every')),
  'builtins.abs': entry('x', ({ arg }) => arg('x').has('int', 'bool') ? union(arg('x').without('int', 'bool'), new Type('nat')) : arg('x'), ({ code }) => `Math.abs(${code('x')})`),
  'builtins.round': entry('x digits', ({ arg, expression }) => expression('digits') === null ? new Type('int') : arg('x').has('float', 'fraction') ? new Type('float') : arg('x'), ({ w, code }) => `${w.python('round')}(${[code('x'), code('digits')].filter((text) => text !== '').join(', ')})`),
  'builtins.int': entry('value', ({ arg }) => arg('value').atoms.size === 0 ? new Type('nat') : arg('value').only('nat', 'bool') ? new Type('nat') : new Type('int'), toInt),
  'builtins.float': entry('value', of('float'), ({ w, arg, code }) => {
    const value = arg('value')
    if (value === null) return '0'
    return w.typeOf(value).only('nat', 'int', 'float', 'fraction') ? w.expression(value) : `${w.python('toFloat')}(${code('value')})`
  }),
  'builtins.str': entry('value', of('str'), ({ w, arg }) => { const value = arg('value'); return value === null ? "''" : textOf(w.text(value), w.typeOf(value)) }),
  'builtins.repr': entry('value', of('str'), ({ w, arg, node }) => { const value = arg('value'); return value === null ? w.problem(node, 'repr needs a value') : w.expression({ ...node, type: 'JoinedStr', values: [{ ...node, type: 'FormattedValue', value, conversion: 114, format_spec: null }] }) }),
  'builtins.bool': entry('value', of('bool'), ({ w, arg }) => { const value = arg('value'); return value === null ? 'false' : w.test(value) }),
  'builtins.list': collected('list'),
  'builtins.set': collected('set'),
  'builtins.frozenset': collected('set'),
  'builtins.tuple': entry('iterable', (call) => call.infer.list(call.at, iterated(call, 'iterable')), ({ w, node }) => w.problem(node, 'tuple(…): write a list, or the tuple itself')),
  'builtins.dict': entry('items', (call) => {
    const pairs = call.arg('items').of('dict')
    const tuples = iterated(call, 'items').of('tuple')
    return call.infer.dict(call.at, union(...pairs.map(({ key }) => key), ...tuples.map(({ elems }) => elems[0] ?? new Type())), union(...pairs.map(({ value }) => value), ...tuples.map(({ elems }) => elems[1] ?? new Type())))
  }, ({ w, node, arg }) => {
    if (node.keywords.length > 0) return w.problem(node, 'dict with keywords: write { … }')
    const items = arg('items')
    const [atom] = w.typeOf(node).of('dict')
    const { key, value } = atom ?? { key: new Type(), value: new Type() }
    w.checkKeys(node, key)
    if (items !== null) return `new ${w.mapOf(key)}(${w.typeOf(items).only('dict') ? w.code(items) : w.iterable(items).text})`
    return `new ${w.mapOf(key)}<${w.ts(key)}, ${w.ts(value)}>()`
  }),
  'builtins.isinstance': entry('value classes', of('bool'), isinstance),
  'builtins.print': entry('| sep end flush file', of('void'), ({ w, node }) => w.problem(node, 'print where a value is needed')),
  'builtins.chr': entry('x', of('str'), ({ code }) => `String.fromCodePoint(${code('x')})`),
  'builtins.ord': entry('x', of('nat'), ({ w, arg }) => `${w.present(arg('x')!, LEVEL.call)}.codePointAt(0)!`),
  'builtins.type': entry('value', () => new Type(), ({ w, node }) => w.problem(node, 'type(…), except in type(error).__name__')),
  'builtins.callable': entry('value', of('bool'), ({ code }) => ({ text: `typeof ${code('value')} === 'function'`, level: LEVEL.equality })),
  'builtins.anext': entry('stream', () => new Type()),
  'builtins.next': entry('iterator default', (call) => union(iterated(call, 'iterator'), call.arg('default')), ({ w, arg, node, code }) => {
    const iterator = arg('iterator')
    if (iterator === null) return w.problem(node, 'next needs an iterator')
    const type = w.typeOf(iterator)
    if (!type.only('iter')) return w.problem(node, 'next of something other than a generator')
    if (iterator.type === 'GeneratorExp') return { text: `${w.array(iterator).text}[0] ?? ${code('default') || 'null'}`, level: LEVEL.or }
    return arg('default') === null ? `${w.code(iterator, LEVEL.call)}.next().value!` : { text: `${w.code(iterator, LEVEL.call)}.next().value ?? ${code('default')}`, level: LEVEL.or }
  }),
  'builtins.object': entry('', of('any'), () => '{}'),
  'builtins.hasattr': entry('value name', of('bool'), ({ w, node }) => w.problem(node, 'hasattr')),
  // Constants
  'asyncio.FIRST_COMPLETED': entry('', () => new Type()),
  'asyncio.FIRST_EXCEPTION': entry('', () => new Type()),
  'asyncio.ALL_COMPLETED': entry('', () => new Type()),
  'string.ascii_letters': entry('', () => new Type()),
  'string.ascii_lowercase': entry('', () => new Type()),
  'string.ascii_uppercase': entry('', () => new Type()),
  'string.digits': entry('', () => new Type()),
  'math.inf': entry('', () => new Type()),
  'math.pi': entry('', () => new Type()),
  'enum.auto': entry('', of('nat')),
  'functools.wraps': entry('func', () => new Type()),
}

/** Names that are values, not functions. */
export const CONSTANTS: Readonly<Record<string, { type: PlainKind; code: string; from?: 'loopscope' }>> = {
  'asyncio.FIRST_COMPLETED': { type: 'str', code: 'FIRST_COMPLETED', from: 'loopscope' },
  'asyncio.FIRST_EXCEPTION': { type: 'str', code: 'FIRST_EXCEPTION', from: 'loopscope' },
  'asyncio.ALL_COMPLETED': { type: 'str', code: 'ALL_COMPLETED', from: 'loopscope' },
  'string.ascii_letters': { type: 'str', code: "'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'" },
  'string.ascii_lowercase': { type: 'str', code: "'abcdefghijklmnopqrstuvwxyz'" },
  'string.ascii_uppercase': { type: 'str', code: "'ABCDEFGHIJKLMNOPQRSTUVWXYZ'" },
  'string.digits': { type: 'str', code: "'0123456789'" },
  'math.inf': { type: 'float', code: 'Infinity' },
  'math.pi': { type: 'float', code: 'Math.PI' },
}

/** The modules that programs may import. */
export const MODULES = new Set(['asyncio', 'time', 'random', 'string', 'collections', 'itertools', 'functools', 'contextlib', 'contextvars', 'dataclasses', 'enum', 'math', 'typing', '__future__', 'abc', 'collections.abc'])

/** What an attribute of an object is, where it is no method. */
export const PROPERTIES: Readonly<Record<string, Readonly<Record<string, (atom: Atom, infer: Inferring, at: object) => Type>>>> = {
  queue: { maxsize: () => new Type('nat') },
  Barrier: { parties: () => new Type('nat'), n_waiting: () => new Type('nat'), broken: () => new Type('bool') },
  error: {
    exceptions: (_atom, infer, at) => infer.list(at, new Type(named('Exception', 'error')), 'list'),
    message: () => new Type('str'),
    __cause__: () => new Type(named('BaseException', 'error'), 'none'),
  },
  var: { name: () => new Type('str') },
}

function elementOfFuture(type: Type): Type {
  return union(...type.of('future').map(({ result }) => result))
}

/** A value's text as a string, not only in a template. */
function textOf(code: Code, type: Type): Code {
  return type.only('nat', 'int', 'fraction') ? tight(`String(${code.text})`) : code
}

/** The key of an atom in the tables of methods and properties. */
export function keyOf(atom: Atom): string {
  if (atom.kind === 'object') return atom.name
  return atom.kind === 'dict' && atom.flavour === 'Counter' ? 'Counter' : atom.kind
}

export function methodOf(atom: Atom, name: string): Api | null {
  return METHODS[keyOf(atom)]?.[name] ?? METHODS[atom.kind]?.[name] ?? null
}

export function apiOf(atom: Atom): Api | null {
  if (atom.kind === 'api') return API[atom.name] ?? null
  return atom.kind === 'method' ? methodOf(atom.on, atom.name) : null
}
