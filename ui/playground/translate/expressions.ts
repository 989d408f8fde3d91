// Expressions in TypeScript, each with the type that it has in Python in mind: how it prints, what counts as true, what is equal.
import { API, CONSTANTS, parseSignature } from './api.ts'
import { LEVEL, tight, type Api, type Code, type Writing } from './entry.ts'
import { ERRORS, TEXT_OF_ITS_OWN } from './errors.ts'
import { apiOf, type Inference } from './infer.ts'
import { camelCase } from './names.ts'
import { dotted, parametersOf, targetsOf, type ClassInfo, type Program, type Routine, type Variable } from './scopes.ts'
import type { At, Attribute, BinOp, BoolOp, Call, Compare, Comparison, Constant, Expression, FormattedValue, JoinedStr, ListComp, Name, Subscript } from './tree.ts'
import { everyExpression } from './tree.ts'
import { typeText } from './typescript-types.ts'
import { elementsOf, Type, union, type Atom } from './types.ts'

export interface Untranslated {
  line: number
  column: number
  message: string
}

type Module = 'loopscope' | './python.ts' | './random.ts' | './pace.ts'

/** Names that are imported as types only. */
export const TYPES = new Set(['Coroutine', 'Awaitable', 'Stream'])

/** Builtins to which the order of what they go through does not matter. */
const ORDER_FREE = new Set(['sorted', 'sum', 'min', 'max', 'any', 'all', 'set', 'frozenset', 'len', 'wait', 'gather', 'as_completed'])

const OPERATORS: Partial<Record<BinOp['op'], [string, number]>> = { Add: ['+', LEVEL.sum], Sub: ['-', LEVEL.sum], Mult: ['*', LEVEL.product], Div: ['/', LEVEL.product] }
const RELATIONS: Partial<Record<Comparison, string>> = { Lt: '<', LtE: '<=', Gt: '>', GtE: '>=' }
const NUMERIC = ['nat', 'int', 'fraction', 'float', 'bool'] as const
/** What JavaScript counts as true where Python does. */
const PLAIN_TRUTH = ['nat', 'int', 'float', 'fraction', 'str', 'bool', 'none', 'void'] as const
const CONTAINERS = ['list', 'deque', 'tuple', 'set', 'dict'] as const

export class Expressions implements Writing {
  readonly imports = new Map<Module, Set<string>>()
  readonly problems: Untranslated[] = []
  /** Statements that have to come before the one that is being written. */
  before: string[] = []
  /** The functions around what is being written, the innermost last. */
  readonly routines: Routine[] = []
  /** The names of the caught errors around it. */
  readonly caught: string[] = []
  /** How many functions with a `this` of their own are between here and the method. */
  depth = 0
  usesSelf = false
  /** JavaScript's globals that the program needs under their own names. */
  readonly globals = new Set<string>()
  /** Classes whose instances are printed. */
  readonly shown = new Set<ClassInfo>()
  readonly printsParts: boolean

  readonly #infer: Inference
  readonly #program: Program
  #orderFree = false
  #float = false
  #temporary = 0

  constructor(infer: Inference, program: Program, printsParts: boolean) {
    this.#infer = infer
    this.#program = program
    this.printsParts = printsParts
  }

  use(name: string, from: Module = 'loopscope'): string {
    let names = this.imports.get(from)
    if (names === undefined) this.imports.set(from, names = new Set())
    names.add(name)
    return name
  }

  variable(routine: Routine, name: string): Variable | undefined {
    return routine.scope.variables.get(name)
  }

  problem(node: At, message: string): Code {
    this.problems.push({ line: node.line, column: node.column, message })
    return tight(`undefined /* ${message} */`)
  }

  /** Whether the two sets of `wait` may be given here: as a tuple they would be something else. */
  takesSets = false

  /** Variables whose value could not be translated: that was said where they got it. */
  readonly lost = new Set<Variable>()

  /** A value of which nothing is known; if it cannot be translated itself, that is what is said. */
  unknown(node: Expression, message: string): Code {
    const before = this.problems.length
    this.expression(node)
    const root = rootOf(node)
    const variable = root === null ? undefined : this.#program.variables.get(root)
    if (this.problems.length > before || (variable !== undefined && this.lost.has(variable))) return tight('undefined')
    return this.problem(node, message)
  }

  typeOf(node: Expression): Type {
    return this.#infer.typeOf(node)
  }

  ts(type: Type): string {
    return typeText(type, this)
  }

  /** The type of a variable; a function that is called with a star takes anything. */
  variableType(variable: Variable): string {
    const text = this.ts(variable.type)
    return this.#program.spread.has(variable) && variable.type.only('routine') ? text.replace(/^\(.*?\) => /s, '(...args: any[]) => ') : text
  }

  get insideCoroutine(): boolean {
    return this.routines.findLast(({ node }) => node.type !== 'Lambda')?.isAsync === true
  }

  get insideFunction(): boolean {
    return this.routines.length > 0
  }

  global(name: string): string {
    this.globals.add(name)
    return name
  }

  temporary(name: string): string {
    return `${name}${this.#temporary++ === 0 ? '' : this.#temporary}`
  }

  expression(node: Expression, level = 0): Code {
    const code = this.#write(node)
    return code.level < level ? tight(`(${code.text})`) : code
  }

  #write(node: Expression): Code {
    switch (node.type) {
      case 'Constant': return this.#constant(node)
      case 'Name': return this.#name(node)
      case 'Attribute': return this.#attribute(node)
      case 'Subscript': return this.#subscript(node)
      case 'Slice': return this.problem(node, 'a slice here')
      case 'Call': return this.#call(node)
      case 'BinOp': return this.#binary(node)
      case 'BoolOp': return this.#either(node)
      case 'UnaryOp':
        if (node.op === 'Not') return this.test(node.operand, true)
        if (node.op === 'Invert') return this.problem(node, 'the operator ~')
        return { text: `${node.op === 'USub' ? '-' : '+'}${this.#number(node.operand, LEVEL.unary)}`, level: LEVEL.unary }
      case 'Compare': return this.#compare(node)
      case 'IfExp': return { text: `${this.test(node.test).level <= LEVEL.conditional ? `(${this.test(node.test).text})` : this.test(node.test).text} ? ${this.expression(node.body, LEVEL.conditional).text} : ${this.expression(node.orelse, LEVEL.conditional).text}`, level: LEVEL.conditional }
      case 'Lambda': {
        const routine = this.#program.routines.get(node) as Routine
        this.routines.push(routine)
        const parameters = node.args.args.map((argument, i) => {
          const fallback = node.args.defaults[i - (node.args.args.length - node.args.defaults.length)]
          const variable = routine.scope.own(argument.arg)
          return fallback === undefined ? `${variable.code}: ${this.ts(variable.type)}` : `${variable.code}: ${this.ts(variable.type)} = ${this.expression(fallback).text}`
        })
        if (node.args.vararg !== null) parameters.push(`...${routine.scope.own(node.args.vararg.arg).code}: any[]`)
        if (node.args.kwarg !== null || node.args.kwonlyargs.length > 0) this.problem(node, 'keyword parameters of a lambda')
        const code = this.lambda(parameters.join(', '), this.expression(node.body))
        this.routines.pop()
        return code
      }
      case 'List': return tight(`[${this.#items(node.elts)}]`)
      case 'Tuple': return tight(`[${this.#items(node.elts)}]`)
      case 'Set': this.#hashable(node, elementsOf(this.typeOf(node), 'set')); return tight(`new Set([${this.#items(node.elts)}])`)
      case 'Dict': return this.#dict(node)
      case 'ListComp': case 'GeneratorExp': return this.array(node)
      case 'SetComp': {
        const outer = this.#orderFree
        this.#orderFree = true
        const items = this.#comprehension(node, () => this.expression(node.elt).text, [node.elt]).text
        this.#orderFree = outer
        return tight(`new Set(${items})`)
      }
      case 'DictComp': {
        const [atom] = this.typeOf(node).of('dict')
        const pairs = this.#comprehension({ ...node, type: 'ListComp', elt: node.key }, () => `[${this.expression(node.key).text}, ${this.expression(node.value).text}]`, [node.key, node.value])
        this.#hashable(node, atom?.key ?? new Type())
        return tight(`new Map<${this.ts(atom?.key ?? new Type())}, ${this.ts(atom?.value ?? new Type())}>(${pairs.text})`)
      }
      case 'JoinedStr': return this.#template(node)
      case 'FormattedValue': return tight(`\`\${${this.#formatted(node)}}\``)
      case 'Await': {
        if (this.routines.at(-1)?.node.type === 'Lambda') return this.problem(node, 'await in a lambda')
        const value = this.present(node.value, LEVEL.yield)
        if (this.typeOf(node.value).has('instance')) this.problem(node, 'await of an object with __await__')
        return { text: `yield* ${value.text}`, level: LEVEL.yield }
      }
      case 'Yield': return this.#yield(node.value)
      case 'YieldFrom': return { text: `yield* ${this.iterable(node.value).text}`, level: LEVEL.yield }
      case 'Starred': return this.problem(node, 'a star here')
      case 'NamedExpr': return { text: `${this.expression(node.target).text} = ${this.expression(node.value).text}`, level: LEVEL.yield }
    }
  }

  #items(items: Expression[]): string {
    return items.map((item) => item.type === 'Starred' ? `...${this.iterable(item.value).text}` : this.expression(item).text).join(', ')
  }

  #yield(value: Expression | null): Code {
    const routine = this.routines.at(-1)
    const given = value === null ? '' : this.expression(value).text
    if (routine?.isAsync === true) return { text: `yield new ${this.use('Item', './python.ts')}(${value === null ? 'null' : given})`, level: LEVEL.yield }
    return { text: `yield ${given}`.trim(), level: LEVEL.yield }
  }

  lambda(parameters: string, body: Code): Code {
    const text = body.text.startsWith('{') ? `(${body.text})` : body.text
    return { text: `(${parameters}) => ${text}`, level: LEVEL.yield }
  }

  #constant(node: Constant): Code {
    switch (node.kind) {
      case 'none': return tight('null')
      case 'bool': return tight(String(node.value))
      case 'str': return tight(quoted(String(node.value)))
      case 'int':
        if (!Number.isSafeInteger(Number(node.value))) return this.problem(node, 'a whole number beyond 2^53')
        return tight(String(node.value))
      case 'code': return tight(String(node.value))
      case 'float': return tight(node.value === 'inf' ? 'Infinity' : String(Number(node.value)))
      default: return this.problem(node, node.kind === 'ellipsis' ? '...' : `a literal of ${node.kind}`)
    }
  }

  #name(node: Name): Code {
    const variable = this.#program.variables.get(node)
    if (variable === undefined) {
      if (node.id === '__name__') return tight("'__main__'")
      if (node.id in ERRORS) return tight(this.#errorClass(node.id))
      if (node.id === 'print') return tight(this.print())
      return this.problem(node, `${node.id} is not translated`)
    }
    const path = this.#program.imports.get(variable)
    if (path !== undefined) return this.#imported(node, path)
    if (this.isSelf(variable)) {
      if (this.depth === 0) return tight('this')
      this.usesSelf = true
      return tight('self')
    }
    return tight(variable.code)
  }

  /** Whether it is the first parameter of a method. */
  isSelf(variable: Variable): boolean {
    return this.routines.some((routine) => routine.owner !== null && !routine.decorators.includes('staticmethod')
      && parametersOf(routine.node)[0]?.arg === variable.name && routine.scope === variable.scope)
  }

  print(): string {
    return this.use('print', this.printsParts ? './python.ts' : 'loopscope')
  }

  #errorClass(name: string): string {
    const error = ERRORS[name]
    if (error === undefined) return 'Error'
    return error.from === null ? this.global(error.code) : this.use(error.code, error.from)
  }

  /** A module's member as a value. */
  #imported(node: At, path: string): Code {
    const constant = CONSTANTS[path]
    if (constant !== undefined) return tight(constant.from === undefined ? constant.code : this.use(constant.code, constant.from))
    if (path === 'random') return tight(this.use('random', './random.ts'))
    const name = path.slice(path.lastIndexOf('.') + 1)
    if (path.startsWith('asyncio.') && name in ERRORS) return tight(this.#errorClass(name))
    const api = API[path]
    if (api !== undefined && path.startsWith('asyncio.') && api.write === undefined) return tight(this.use(camelCase(name)))
    if (path === 'asyncio.eager_task_factory') return tight(this.use('eagerTaskFactory'))
    if (path === 'asyncio.gather' || path in API) return this.problem(node, `${path} as a value`)
    return this.problem(node, `${path} is not translated`)
  }

  #attribute(node: Attribute): Code {
    const on = this.typeOf(node.value)
    const path = this.pathOf(node)
    if (path !== null) return this.#imported(node, path)
    if (node.attr === '__name__') {
      if (node.value.type === 'Call' && dotted(node.value.func) === 'type' && node.value.args[0] !== undefined) {
        const [value] = node.value.args
        if (this.typeOf(value).only('error', 'none') || this.#isErrorInstance(this.typeOf(value))) return tight(`${this.use('nameOf', './python.ts')}(${this.expression(value).text})`)
        return { text: `${this.expression(value, LEVEL.call).text}.constructor.name`, level: LEVEL.call }
      }
      return tight(`${this.present(node.value, LEVEL.call).text}.name`)
    }
    if (on.without('none').unknown) return this.unknown(node.value, `it is not known what '${source(node.value)}' is, and so not what '.${node.attr}' gives: add an annotation`)
    const object = this.present(node.value, LEVEL.call).text
    if (node.attr === '__cause__') return tight(`${object}.cause`)
    const [instance] = on.of('instance', 'class')
    if (instance !== undefined) {
      if (!this.#knows(on, node.attr)) return this.problem(node, `'${source(node.value)}' has no '${node.attr}' that is known`)
      const { cls } = instance
      const isStatic = instance.kind === 'instance' && !this.#hasField(cls, node.attr) && this.#staticOwner(cls, node.attr) !== null && this.#infer.method(cls, node.attr) === null && !cls.isEnum
      if (isStatic) return tight(`${this.#staticOwner(cls, node.attr)?.variable.code ?? ''}.${camelCase(node.attr)}`)
      // A method that is passed on keeps its object.
      const routine = this.#infer.method(cls, node.attr)
      if (routine !== null && !routine.decorators.includes('property')) return tight(`${object}.${camelCase(node.attr)}.bind(${object})`)
      return tight(`${object}.${camelCase(node.attr)}`)
    }
    if (this.typeOf(node).atoms.size === 0 && !on.has('any')) return this.problem(node, `.${node.attr} is not translated`)
    if (this.typeOf(node).only('method')) return this.#boundMethod(node, object)
    return tight(`${object}.${camelCase(node.attr)}`)
  }

  /** A method of asyncio's or Python's as a value. */
  #boundMethod(node: Attribute, object: string): Code {
    const [method] = this.typeOf(node).of('method')
    const api = method === undefined ? null : apiOf(method)
    if (api?.write === undefined) return tight(`${object}.${camelCase(node.attr)}.bind(${object})`)
    const each: Constant = { ...at(node), type: 'Constant', kind: 'code', value: 'each' }
    const written = api.write({ node: { ...at(node), type: 'Call', func: node, args: [each], keywords: [] }, w: this, on: object, onAtom: method?.on ?? null, arg: () => each, rest: [], code: () => 'each' })
    return this.lambda('each', typeof written === 'string' ? tight(written) : written)
  }

  #knows(type: Type, name: string): boolean {
    return type.of('instance', 'class').every(({ cls }) => this.#infer.field(cls, name) !== null || this.#infer.method(cls, name) !== null || (cls.isEnum && ['name', 'value'].includes(name)))
  }

  #hasField(cls: ClassInfo, name: string): boolean {
    return cls.fields.has(name) || cls.bases.some((base) => this.#hasField(base, name))
  }

  #staticOwner(cls: ClassInfo, name: string): ClassInfo | null {
    return cls.statics.has(name) ? cls : cls.bases.map((base) => this.#staticOwner(base, name)).find((found) => found !== null) ?? null
  }

  #isErrorInstance(type: Type): boolean {
    return type.atoms.size > 0 && [...type.atoms].every((atom) => atom.kind === 'error' || atom.kind === 'none' || (atom.kind === 'instance' && atom.cls.error !== null))
  }

  /** `asyncio.sleep`, however the program has imported it. */
  pathOf(node: Expression): string | null {
    if (node.type === 'Name') {
      const variable = this.#program.variables.get(node)
      if (variable === undefined) return `builtins.${node.id}` in API ? `builtins.${node.id}` : null
      return this.#program.imports.get(variable) ?? null
    }
    if (node.type === 'Subscript') return this.typeOf(node.value).has('api') ? this.pathOf(node.value) : null
    if (node.type !== 'Attribute') return null
    const outer = this.pathOf(node.value)
    return outer === null || outer.startsWith('builtins.') ? null : `${outer}.${node.attr}`
  }

  // Values without None, as arrays, as something to go through

  present(node: Expression, level = 0): Code {
    const code = this.expression(node, level)
    return this.typeOf(node).has('none') && !this.typeOf(node).only('none') && !this.typeOf(node).has('any') ? tight(`${this.expression(node, LEVEL.call).text}!`) : code
  }

  iterable(node: Expression): Code {
    const type = this.typeOf(node).without('none')
    if (node.type === 'GeneratorExp' || node.type === 'ListComp') return this.array(node)
    if (type.unknown) return this.unknown(node, `it is not known what '${source(node)}' is, and so not how to go through it`)
    if (type.only('dict')) return tight(`${this.present(node, LEVEL.call).text}.keys()`)
    if (type.has('set') && !this.#orderFree) {
      const items = elementsOf(type, 'set')
      if (!items.only('task', 'future', 'instance', 'queue')) return this.problem(node, 'the order of a set is an accident in Python: go through sorted(…) of it')
    }
    if (type.has('class')) return this.problem(node, 'going through an Enum')
    if (type.has('stream')) return this.problem(node, 'an asynchronous generator here: use async for')
    // TypeScript would take pairs for lists of anything in them.
    if ((node.type === 'List' || node.type === 'Tuple') && elementsOf(type, 'list').has('tuple')) return { text: `${this.expression(node).text} as ${arrayText(this.ts(elementsOf(type, 'list')))}`, level: LEVEL.relation }
    return this.present(node, LEVEL.unary)
  }

  array(node: Expression): Code {
    if (node.type === 'ListComp' || node.type === 'GeneratorExp') {
      return this.#comprehension(node, () => this.expression(node.elt).text, [node.elt])
    }
    const items = this.iterable(node)
    return this.typeOf(node).without('none').only('list', 'deque', 'tuple') ? items.level < LEVEL.call ? tight(`(${items.text})`) : items : tight(`[...${items.text}]`)
  }

  #comprehension(node: ListComp, element: () => string, elements: Expression[]): Code {
    const [generator, ...others] = node.generators
    if (generator === undefined) return tight('[]')
    const parts = [...elements, ...node.generators.flatMap(({ ifs }) => ifs), ...others.map(({ iter }) => iter)]
    const awaits = parts.some((part) => [...everyExpression(part)].some(({ type }) => type === 'Await'))
    if (awaits || node.generators.some(({ is_async: isAsync }) => isAsync === 1)) return this.#loop(node, element)
    for (const part of parts) {
      if ([...everyExpression(part)].some((inner) => inner.type === 'Lambda' && [...everyExpression(inner.body)].some((name) => name.type === 'Name' && node.generators.some(({ target }) => targetsOf(target).some(({ id }) => id === name.id))))) {
        this.problem(part, 'a lambda that uses the variable of a comprehension, which has its last value when the lambda runs')
      }
    }
    return tight(this.#mapped(node, 0, element, elements))
  }

  #mapped(node: ListComp, at: number, element: () => string, elements: Expression[]): string {
    const generator = node.generators[at] as ListComp['generators'][0]
    const { target, iter, ifs } = generator
    const last = at === node.generators.length - 1
    const names = targetsOf(target)
    const uses = (name: string): boolean => [...elements, ...node.generators.slice(at + 1).flatMap((other) => [other.iter, ...other.ifs])].some((part) => [...everyExpression(part)].some((inner) => inner.type === 'Name' && inner.id === name))
    const inner = (): string => last ? element() : this.#mapped(node, at + 1, element, elements)
    const parameter = (): string => target.type === 'Name' ? this.expression(target).text : this.pattern(target)
    const isRange = iter.type === 'Call' && this.pathOf(iter.func) === 'builtins.range'
    if (isRange && iter.args.length === 1 && ifs.length === 0 && last && target.type === 'Name' && iter.args[0] !== undefined) {
      const used = uses(target.id)
      return `${this.global('Array')}.from({ length: ${this.expression(iter.args[0]).text} }, (${used ? `_, ${parameter()}` : ''}) => ${arrowBody(inner())})`
    }
    // `enumerate` of a list is the second parameter of map.
    if (iter.type === 'Call' && this.pathOf(iter.func) === 'builtins.enumerate' && iter.args.length === 1 && iter.keywords.length === 0 && ifs.length === 0 && target.type === 'Tuple' && target.elts.length === 2 && iter.args[0] !== undefined && this.typeOf(iter.args[0]).only('list', 'deque')) {
      const [index, value] = target.elts as [Expression, Expression]
      return `${this.array(iter.args[0]).text}.${last ? 'map' : 'flatMap'}((${this.pattern(value)}, ${this.pattern(index)}) => ${arrowBody(inner())})`
    }
    let text = this.array(iter).text
    for (const test of ifs) text += `.filter((${parameter()}) => ${this.test(test).text})`
    const body = inner()
    if (last && target.type === 'Name' && names.length === 1 && body === this.expression(target).text) return ifs.length > 0 || text.startsWith('[...') ? text : `[...${text}]`
    return `${text}.${last ? 'map' : 'flatMap'}((${parameter()}) => ${arrowBody(body)})`
  }

  /** Whether it is a `_` that nothing reads. */
  isUnused(target: Expression): boolean {
    if (target.type === 'Starred') return this.isUnused(target.value)
    return target.type === 'Name' && target.id === '_' && this.#program.variables.get(target)?.occurrences.every(({ write }) => write) === true
  }

  /** The left side of an assignment as a pattern. */
  pattern(target: Expression): string {
    if (target.type === 'Tuple' || target.type === 'List') {
      return `[${target.elts.map((elt) => this.isUnused(elt) ? '' : elt.type === 'Starred' ? `...${this.pattern(elt.value)}` : this.pattern(elt)).join(', ').replace(/(, )+$/, '').replace(/^, /, ', ')}]`
    }
    return this.expression(target).text
  }

  /** A comprehension that awaits: a loop before the statement. */
  #loop(node: ListComp, element: () => string): Code {
    const type = this.typeOf(node)
    const name = this.temporary('found')
    const lines = [`const ${name}: ${this.ts(elementsOf(type, 'list', 'set', 'iter'))}[] = []`]
    let indent = ''
    const nested = this.before
    for (const { target, iter, ifs, is_async: isAsync } of node.generators) {
      this.before = []
      if (isAsync === 1) this.problem(node, 'async for in a comprehension: write a loop')
      const head = `${indent}for (const ${this.pattern(target)} of ${this.iterable(iter).text}) {`
      lines.push(...this.before, head)
      indent += '  '
      for (const test of ifs) lines.push(`${indent}if (${this.test(test, true).text}) continue`)
    }
    this.before = []
    const value = element()
    lines.push(...this.before.map((line) => indent + line), `${indent}${name}.push(${value})`)
    while (indent !== '') {
      indent = indent.slice(2)
      lines.push(`${indent}}`)
    }
    this.before = [...nested, ...lines]
    return tight(name)
  }

  #dict(node: Expression & { type: 'Dict' }): Code {
    const [atom] = this.typeOf(node).of('dict')
    const [key, value] = [atom?.key ?? new Type(), atom?.value ?? new Type()]
    this.#hashable(node, key)
    const entries = node.keys.map((name, i) => name === null ? `...${this.expression(node.values[i] as Expression).text}` : `[${this.expression(name).text}, ${this.expression(node.values[i] as Expression).text}]`)
    const types = `<${this.ts(key)}, ${this.ts(value)}>`
    return tight(`new ${this.global('Map')}${types}(${entries.length === 0 ? '' : `[${entries.join(', ')}]`})`)
  }

  /** Keys and members that are equal only as values would be different ones in a Map. */
  #hashable(node: At, key: Type): void {
    if (key.has('tuple')) this.problem(node, 'a tuple as a key: a Map tells two equal ones apart, so join its parts into a string')
    if (key.of('instance').some(({ cls }) => cls.isDataclass || this.#infer.method(cls, '__eq__') !== null)) this.problem(node, 'a key that is equal to others by its value')
    if (key.has('bool') && key.has(...NUMERIC.slice(0, 4))) this.problem(node, 'keys that are numbers and booleans')
  }

  // Truth and equality

  test(node: Expression, negated = false): Code {
    const not = (code: Code): Code => negated ? { text: `!${code.level < LEVEL.unary ? `(${code.text})` : code.text}`, level: LEVEL.unary } : code
    if (node.type === 'UnaryOp' && node.op === 'Not') return this.test(node.operand, !negated)
    if (node.type === 'BoolOp') {
      const and = (node.op === 'And') !== negated
      const level = and ? LEVEL.and : LEVEL.or
      return { text: node.values.map((value) => { const code = this.test(value, negated); return code.level < level || (!and && code.level === LEVEL.and) ? `(${code.text})` : code.text }).join(and ? ' && ' : ' || '), level }
    }
    if (node.type === 'Compare') return this.#compare(node, negated)
    const type = this.typeOf(node)
    if (node.type === 'Constant') return not(node.kind === 'bool' ? this.expression(node) : tight(String(truth(node))))
    if (type.unknown) return this.unknown(node, `it is not known what '${source(node)}' is, and so not whether it counts as true`)
    if (type.only('bool')) return not(this.expression(node))
    const container = type.without('none', 'void')
    if (container.only('list', 'deque', 'tuple', 'set', 'dict')) {
      const size = container.only('set', 'dict') ? 'size' : container.only('list', 'deque', 'tuple') ? 'length' : null
      if (size === null) return this.problem(node, 'a list or a set here')
      if (type.has('none', 'void')) return { text: negated ? `!${this.expression(node, LEVEL.call).text}?.${size}` : `(${this.expression(node, LEVEL.call).text}?.${size} ?? 0) > 0`, level: negated ? LEVEL.unary : LEVEL.relation }
      return { text: `${this.expression(node, LEVEL.call).text}.${size} ${negated ? '===' : '>'} 0`, level: negated ? LEVEL.equality : LEVEL.relation }
    }
    if (type.only('nat', 'int', 'float', 'fraction')) return { text: `${this.expression(node, LEVEL.equality + 1).text} ${negated ? '===' : '!=='} 0`, level: LEVEL.equality }
    if (type.only('str')) return { text: `${this.expression(node, LEVEL.equality + 1).text} ${negated ? '===' : '!=='} ''`, level: LEVEL.equality }
    if (type.only(...PLAIN_TRUTH)) return not(this.expression(node))
    if (type.has(...CONTAINERS)) return this.problem(node, 'a value that may be a container or something else')
    for (const atom of type.of('instance')) {
      if (this.#infer.method(atom.cls, '__bool__') !== null || this.#infer.method(atom.cls, '__len__') !== null) return this.problem(node, 'an object with __bool__ or __len__: compare what is meant')
    }
    // Other objects always count as true.
    if (type.has('none', 'void') && type.only('none', 'void', ...[...type.atoms].map(({ kind }) => kind).filter((kind) => !PLAIN_TRUTH.includes(kind as 'nat')))) {
      return { text: `${this.expression(node, LEVEL.equality + 1).text} ${negated ? '===' : '!=='} ${type.has('void') ? 'undefined' : 'null'}`, level: LEVEL.equality }
    }
    return not(this.expression(node))
  }

  #either(node: BoolOp): Code {
    const isBoolean = node.values.every((value) => this.typeOf(value).only('bool'))
    if (isBoolean) return this.test(node)
    const inner = node.values.slice(0, -1)
    const level = node.op === 'And' ? LEVEL.and : LEVEL.or
    if (inner.every((value) => !this.typeOf(value).unknown && !this.typeOf(value).has(...CONTAINERS) && !this.typeOf(value).has('instance'))) {
      return { text: node.values.map((value) => { const code = this.expression(value); return code.level <= LEVEL.and ? `(${code.text})` : code.text }).join(node.op === 'And' ? ' && ' : ' || '), level }
    }
    const [first, second] = node.values
    if (node.values.length === 2 && first !== undefined && second !== undefined && (first.type === 'Name' || first.type === 'Attribute')) {
      const onlyNone = this.typeOf(first).without('none').only('instance') && node.op === 'Or'
      if (onlyNone) return { text: `${this.expression(first, LEVEL.or).text} ?? ${this.expression(second, LEVEL.or + 1).text}`, level: LEVEL.or }
      const [yes, no] = node.op === 'Or' ? [first, second] : [second, first]
      return { text: `${this.test(first).text} ? ${yes === first ? this.present(yes, LEVEL.conditional).text : this.expression(yes, LEVEL.conditional).text} : ${this.expression(no, LEVEL.conditional).text}`, level: LEVEL.conditional }
    }
    return this.problem(node, "'and' and 'or' of these values: write if")
  }

  #compare(node: Compare, negated = false): Code {
    const parts: Code[] = []
    let left = node.left
    for (const [i, op] of node.ops.entries()) {
      const right = node.comparators[i] as Expression
      if (i > 0 && !['Name', 'Constant', 'Attribute'].includes(left.type)) this.problem(left, 'a chained comparison whose middle is more than a name')
      parts.push(this.#comparison(node, left, negated && node.ops.length === 1 ? opposite(op) : op, right))
      left = right
    }
    if (parts.length === 1) return parts[0] as Code
    const text = parts.map(({ text, level }) => level < LEVEL.and ? `(${text})` : text).join(' && ')
    return negated ? { text: `!(${text})`, level: LEVEL.unary } : { text, level: LEVEL.and }
  }

  #comparison(at: At, left: Expression, op: Comparison, right: Expression): Code {
    const [a, b] = [this.typeOf(left), this.typeOf(right)]
    const level = LEVEL.equality + 1
    switch (op) {
      case 'Is': case 'IsNot': case 'Eq': case 'NotEq': {
        const equals = op === 'Is' || op === 'Eq'
        const isNone = right.type === 'Constant' && right.kind === 'none'
        if (isNone && a.has('void')) return { text: `${this.expression(left, level).text} ${equals ? '==' : '!='} null`, level: LEVEL.equality }
        const deep = (op === 'Eq' || op === 'NotEq') && !isNone
        if (deep && (a.unknown || b.unknown)) return this.unknown(a.unknown ? left : right, `it is not known what is compared here: add an annotation`)
        if (deep && a.has('bool') !== b.has('bool') && a.has(...NUMERIC) && b.has(...NUMERIC)) return { text: `Number(${this.expression(left).text}) ${equals ? '===' : '!=='} Number(${this.expression(right).text})`, level: LEVEL.equality }
        if (deep && (a.has(...CONTAINERS) || b.has(...CONTAINERS) || this.#equalByValue(a))) {
          const call = `${this.use('equal', './python.ts')}(${this.expression(left).text}, ${this.expression(right).text})`
          return equals ? tight(call) : { text: `!${call}`, level: LEVEL.unary }
        }
        // Types that have nothing in common make TypeScript complain, not Python.
        const cast = !isNone && !a.unknown && !b.unknown && this.ts(a) !== this.ts(b) && !overlap(a, b) ? ' as unknown' : ''
        const first = this.expression(left, level).text
        return { text: `${cast === '' ? first : `(${first}${cast})`} ${equals ? '===' : '!=='} ${this.expression(right, level).text}`, level: LEVEL.equality }
      }
      case 'In': case 'NotIn': {
        const found = this.#contains(at, left, right, b.without('none'))
        if (op === 'In') return found
        return { text: `!${found.level < LEVEL.unary ? `(${found.text})` : found.text}`, level: LEVEL.unary }
      }
      default: {
        const sign = RELATIONS[op] ?? '<'
        if (a.without('none').only(...NUMERIC) && b.without('none').only(...NUMERIC)) return { text: `${this.present(left, LEVEL.relation + 1).text} ${sign} ${this.present(right, LEVEL.relation + 1).text}`, level: LEVEL.relation }
        if (a.only('str') && b.only('str')) return { text: `${this.expression(left, LEVEL.relation + 1).text} ${sign} ${this.expression(right, LEVEL.relation + 1).text}`, level: LEVEL.relation }
        if (a.has('set') || a.has('instance') || a.unknown || b.unknown) return this.problem(at, 'it is not known how these are compared')
        return { text: `${this.use('compare', './python.ts')}(${this.expression(left).text}, ${this.expression(right).text}) ${sign} 0`, level: LEVEL.relation }
      }
    }
  }

  #equalByValue(type: Type): boolean {
    return type.of('instance').some(({ cls }) => cls.isDataclass)
  }

  #contains(at: At, value: Expression, container: Expression, type: Type): Code {
    if (container.type === 'Call' && this.pathOf(container.func) === 'builtins.range') return this.problem(at, 'in range(…): compare with its bounds')
    const on = this.present(container, LEVEL.call).text
    const item = this.expression(value).text
    if (type.only('dict', 'set')) return tight(`${on}.has(${item})`)
    if (type.only('str')) return tight(`${on}.includes(${item})`)
    if (type.only('list', 'deque', 'tuple')) {
      const elem = elementsOf(type, 'list', 'deque')
      if (elem.has(...CONTAINERS) || this.#equalByValue(elem)) return tight(`${on}.some((each) => ${this.use('equal', './python.ts')}(each, ${item}))`)
      // A tuple of literals has a narrower type than the value.
      const wide = container.type === 'Tuple' || container.type === 'List' ? `([${this.#items(container.elts)}] as ${this.ts(union(elem, this.typeOf(value)))}[])` : on
      const simple = this.ts(this.typeOf(value)) === this.ts(elem)
      return tight(`${simple ? on : wide}.includes(${item})`)
    }
    return this.problem(at, "it is not known what 'in' looks into here")
  }

  instanceOf(value: Code, classes: Expression): Code {
    if (classes.type === 'Tuple') {
      return { text: classes.elts.map((one) => this.instanceOf(value, one).text).join(' || '), level: LEVEL.or }
    }
    if (classes.type === 'BinOp' && classes.op === 'BitOr') return this.instanceOf(value, { ...classes, type: 'Tuple', elts: [classes.left, classes.right] })
    const text = value.text
    const relation = (right: string): Code => ({ text: `${text} instanceof ${right}`, level: LEVEL.relation })
    const typeofs = (name: string): Code => ({ text: `typeof ${text} === '${name}'`, level: LEVEL.equality })
    for (const atom of this.typeOf(classes).atoms) {
      if (atom.kind === 'class') return relation(atom.cls.variable.code)
      if (atom.kind === 'errorClass') {
        if (atom.name === 'Exception') return tight(`${this.use('isException', './python.ts')}(${text})`)
        if (atom.name === 'OSError') return { text: `${text} instanceof ${this.#errorClass('OSError')} || ${text} instanceof ${this.#errorClass('TimeoutError')}`, level: LEVEL.or }
        return relation(this.#errorClass(atom.name))
      }
    }
    switch (this.pathOf(classes)) {
      case 'builtins.str': return typeofs('string')
      case 'builtins.int': case 'builtins.float': return typeofs('number')
      case 'builtins.bool': return typeofs('boolean')
      case 'builtins.list': return tight(`Array.isArray(${text})`)
      case 'builtins.dict': return relation('Map')
      case 'builtins.set': return relation('Set')
      case 'asyncio.Task': return relation(this.use('Task'))
      case 'asyncio.Future': return relation(this.use('Future'))
      default: return this.problem(classes, `isinstance of ${source(classes)}`)
    }
  }

  // Numbers and strings

  isNatural(node: Expression): boolean {
    return this.typeOf(node).only('nat')
  }

  #number(node: Expression, level: number): string {
    if (this.typeOf(node).has('bool')) return `Number(${this.expression(node).text})`
    return this.present(node, level).text
  }

  #binary(node: BinOp): Code {
    const { left, op, right } = node
    const [a, b] = [this.typeOf(left).without('none'), this.typeOf(right).without('none')]
    if (op === 'Mod' && left.type === 'Constant' && left.kind === 'str') return this.#percent(node, String(left.value), right)
    if (a.unknown || b.unknown) {
      return this.unknown(a.unknown ? left : right, `it is not known what '${source(a.unknown ? left : right)}' is, and so not what the operator does: add an annotation`)
    }
    if (a.only(...NUMERIC) && b.only(...NUMERIC)) return this.#arithmetic(node, a, b)
    if (op === 'Add') {
      if (a.only('str') && b.only('str')) return { text: `${this.present(left, LEVEL.sum).text} + ${this.present(right, LEVEL.sum + 1).text}`, level: LEVEL.sum }
      if (a.only('list', 'deque', 'tuple') && b.only('list', 'deque', 'tuple')) return tight(`[...${this.present(left, LEVEL.unary).text}, ...${this.present(right, LEVEL.unary).text}]`)
    }
    if (op === 'Mult') {
      const [text, times] = a.only('str', 'list') ? [left, right] : [right, left]
      if (!this.typeOf(times).only('nat', 'int')) return this.problem(node, 'this product')
      const number = this.isNatural(times) ? this.expression(times).text : `Math.max(0, ${this.expression(times).text})`
      if (this.typeOf(text).only('str')) return tight(`${this.expression(text, LEVEL.call).text}.repeat(${number})`)
      if (text.type === 'List' && text.elts.length === 1 && text.elts[0] !== undefined && text.elts[0].type === 'Constant') return tight(`${this.global('Array')}.from({ length: ${number} }, () => ${this.expression(text.elts[0]).text})`)
      return this.problem(node, 'a list times a number, unless it is of one literal')
    }
    if (a.only('set') && b.only('set')) {
      const [x, y] = [this.expression(left, LEVEL.unary).text, this.expression(right, LEVEL.call).text]
      if (op === 'BitOr') return tight(`new Set([...${x}, ...${this.expression(right, LEVEL.unary).text}])`)
      if (op === 'BitAnd') return tight(`new Set([...${x}].filter((each) => ${y}.has(each)))`)
      if (op === 'Sub') return tight(`new Set([...${x}].filter((each) => !${y}.has(each)))`)
    }
    if (op === 'BitOr' && a.only('dict') && b.only('dict')) return tight(`new Map([...${this.expression(left, LEVEL.unary).text}, ...${this.expression(right, LEVEL.unary).text}])`)
    return this.problem(node, 'this operator of these values')
  }

  #arithmetic(node: BinOp, a: Type, b: Type): Code {
    const { left, op, right } = node
    const outer = this.#float
    const isFloat = this.typeOf(node).only('float')
    this.#float = isFloat || outer
    try {
      const [sign, level] = OPERATORS[op] ?? ['', 0]
      const whole = a.only('nat', 'int', 'bool') && b.only('nat', 'int', 'bool')
      const sure = right.type === 'Constant' && Number(right.value) !== 0
      switch (op) {
        case 'Add': case 'Sub': return { text: `${this.#number(left, level)} ${sign} ${this.#number(right, level + 1)}`, level }
        case 'Mult': {
          const code: Code = { text: `${this.#number(left, level)} ${sign} ${this.#number(right, level + 1)}`, level }
          return whole && !this.#float && this.#growsOn(node) ? tight(`${this.use('exact', './python.ts')}(${code.text})`) : code
        }
        case 'Div':
          if (sure) return { text: `${this.#number(left, level)} / ${this.#number(right, level + 1)}`, level }
          return tight(`${this.use('divide', './python.ts')}(${this.#number(left, 0)}, ${this.#number(right, 0)})`)
        case 'FloorDiv':
          if (sure) return tight(`Math.floor(${this.#number(left, LEVEL.product)} / ${this.#number(right, LEVEL.product + 1)})`)
          return tight(`${this.use('floorDivide', './python.ts')}(${this.#number(left, 0)}, ${this.#number(right, 0)})`)
        case 'Mod':
          if (sure && this.isNatural(left) && this.isNatural(right)) return { text: `${this.expression(left, LEVEL.product).text} % ${this.expression(right, LEVEL.product + 1).text}`, level: LEVEL.product }
          return tight(`${this.use('modulo', './python.ts')}(${this.#number(left, 0)}, ${this.#number(right, 0)})`)
        case 'Pow': {
          if (whole && !b.only('nat', 'bool')) return this.problem(node, 'a whole number to a power that may be negative')
          const code: Code = { text: `${this.#number(left, LEVEL.unary + 1)} ** ${this.#number(right, LEVEL.power)}`, level: LEVEL.power }
          return whole && !this.#float ? tight(`${this.use('exact', './python.ts')}(${code.text})`) : code
        }
        case 'LShift': return tight(`${this.use('exact', './python.ts')}(${this.#number(left, LEVEL.product)} * 2 ** ${this.#number(right, LEVEL.power)})`)
        case 'RShift': return tight(`Math.floor(${this.#number(left, LEVEL.product)} / 2 ** ${this.#number(right, LEVEL.power)})`)
        default: return this.problem(node, 'an operator on bits: JavaScript has 32 of them')
      }
    } finally {
      this.#float = outer
    }
  }

  /** Whether a product may grow and grow: one side is what it is assigned to, or what a call of its own function gives. */
  #growsOn(node: BinOp): boolean {
    const routine = this.routines.findLast((one) => one.node.type !== 'Lambda')
    const own = routine?.node.type === 'Lambda' ? '' : routine?.node.name ?? ''
    return [node.left, node.right].some((side) => [...everyExpression(side)].some((inner) => (inner.type === 'Call' && dotted(inner.func) === own) || (inner.type === 'Name' && this.assigning.has(inner.id))))
  }

  /** The variables that the statement assigns. */
  readonly assigning = new Set<string>()

  /** `'%s of %d' % (a, b)` as an f-string. */
  #percent(node: At, text: string, values: Expression): Code {
    const given = values.type === 'Tuple' ? [...values.elts] : [values]
    const parts: Expression[] = []
    let rest = text
    for (;;) {
      const match = /%(%|([-0]?\d*(?:\.\d+)?)([sdrf]))/.exec(rest)
      if (match === null) break
      const [whole, kind, spec = '', type] = match
      parts.push(literal(node, rest.slice(0, match.index)))
      rest = rest.slice(match.index + whole.length)
      const value = kind === '%' ? undefined : given.shift()
      if (kind === '%') parts.push(literal(node, '%'))
      else if (value === undefined) return this.problem(node, 'too few values for the format')
      else {
        const flags = spec.startsWith('-') ? `<${spec.slice(1)}` : /^[1-9]/.test(spec) ? `>${spec}` : spec
        const format = `${flags}${type === 'f' ? (spec.includes('.') ? 'f' : '.6f') : ''}`
        parts.push({ ...at(node), type: 'FormattedValue', value, conversion: type === 'r' ? 114 : 115, format_spec: format === '' ? null : { ...at(node), type: 'JoinedStr', values: [literal(node, format)] } })
      }
    }
    parts.push(literal(node, rest))
    if (given.length > 0 || rest.includes('%')) return this.problem(node, 'this format')
    return this.#template({ ...at(node), type: 'JoinedStr', values: parts })
  }

  #template(node: JoinedStr): Code {
    if (node.values.every(({ type }) => type === 'Constant')) return tight(quoted(node.values.map((value) => String((value as Constant).value)).join('')))
    const [only] = node.values
    if (node.values.length === 1 && only?.type === 'FormattedValue') {
      const text = this.#formatted(only)
      if (/^(str|repr|float|fixed|format|nameOf)\(/.test(text) || this.typeOf(only.value).only('str') && only.format_spec === null && only.conversion === -1) return tight(text)
    }
    return tight(`\`${node.values.map((value) => value.type === 'Constant' ? templated(String(value.value)) : `\${${this.#formatted(value as FormattedValue)}}`).join('')}\``)
  }

  #formatted(node: FormattedValue): string {
    const { value, conversion, format_spec: spec } = node
    const type = this.typeOf(value)
    if (conversion === 97) return this.problem(node, '!a').text
    if (spec === null) return conversion === 114 ? this.#repr(value).text : this.text(value).text
    const isStatic = spec.values.every((part) => part.type === 'Constant')
    const format = isStatic ? spec.values.map((part) => String((part as Constant).value)).join('') : null
    if (conversion === -1 && format !== null) {
      const decimals = /^\.(\d+)f$/.exec(format)
      if (decimals !== null) return type.unknown || type.only(...NUMERIC, 'none') ? `${this.use('fixed', './python.ts')}(${this.present(value).text}, ${decimals[1]})` : this.problem(node, 'this format of this value').text
      if (format === 'd' && type.only('nat', 'int')) return this.expression(value).text
      const pad = /^([<>])?(\d+)d?$/.exec(format)
      if (pad !== null && !format.startsWith('0') && (type.only('str') || type.only('nat', 'int'))) {
        const [, side = type.only('str') ? '<' : '>', width] = pad
        const text = type.only('str') ? this.expression(value, LEVEL.call).text : `${this.global('String')}(${this.expression(value).text})`
        return `${text}.${side === '<' ? 'padEnd' : 'padStart'}(${width})`
      }
    }
    const text = format === null ? this.#template(spec).text : quoted(format)
    const isFloat = type.only('float', 'fraction')
    const exactly = /[df%exXbos]$/.test(format ?? '')
    if (conversion === 114) return `${this.use('format', './python.ts')}(${this.#repr(value).text}, ${text})`
    if (conversion === 115) return `${this.use('format', './python.ts')}(${this.asString(value)}, ${text})`
    if (!exactly && !type.only('str') && !type.only('nat', 'int', 'fraction') && !isFloat) {
      if (!type.unknown && type.only('str', 'bool', 'none', 'instance')) return `${this.use('format', './python.ts')}(${this.asString(value)}, ${text})`
      return type.unknown ? this.unknown(value, `it is not known what '${source(value)}' is, and so not how it prints: add an annotation`).text : this.problem(node, 'this format of this value').text
    }
    return `${this.use('format', './python.ts')}(${this.expression(value).text}, ${text}${isFloat && type.has('float') ? ", 'float'" : ''})`
  }

  /** The text of a value as a string expression. */
  asString(node: Expression): string {
    const code = this.text(node)
    if (this.typeOf(node).only('instance')) return `${this.global('String')}(${code.text})`
    return this.typeOf(node).only('str') || code.text.startsWith('str(') || code.text.startsWith("'") || code.text.startsWith('repr(') || code.text.startsWith('float(') || code.text.endsWith('.message') ? code.text : `\`\${${code.text}}\``
  }

  text(node: Expression): Code {
    const type = this.typeOf(node)
    if (node.type === 'JoinedStr' || type.only('str')) return this.expression(node)
    if (node.type === 'Constant' && (node.kind === 'none' || node.kind === 'bool')) return tight(node.kind === 'none' ? "'None'" : node.value === true ? "'True'" : "'False'")
    if (type.only('nat', 'int', 'fraction', 'str')) return this.expression(node)
    if (type.unknown) return this.unknown(node, `it is not known what '${source(node)}' is, and so not how it prints: add an annotation`)
    if (type.only('float', 'fraction')) return tight(`${this.use('float', './python.ts')}(${this.expression(node).text})`)
    if (this.#isErrorInstance(type) && !type.has('none')) {
      const plainText = [...type.atoms].every((atom) => atom.kind === 'error' ? !TEXT_OF_ITS_OWN.has(atom.name) && ERRORS[atom.name]?.from !== 'loopscope' : atom.kind === 'instance' && this.#plainMessage(atom.cls))
      if (plainText) return tight(`${this.expression(node, LEVEL.call).text}.message`)
      if (type.of('error').some(({ name }) => name === 'ExceptionGroup')) return this.problem(node, "the text of an exception group: a TaskGroup's is our own")
      for (const atom of type.of('instance')) if (this.#infer.method(atom.cls, '__str__') !== null) return tight(`${this.global('String')}(${this.expression(node).text})`)
      return tight(`${this.use('str', './python.ts')}(${this.expression(node).text})`)
    }
    if (type.only('instance')) return this.#instanceText(node, type)
    const shape = this.shape(type)
    if (shape === null) return type.unknown ? this.unknown(node, this.#whyUnprintable(node, type)) : this.problem(node, this.#whyUnprintable(node, type))
    const name = type.only('list', 'tuple', 'dict', 'set') ? 'repr' : 'str'
    return tight(`${this.use(name, './python.ts')}(${this.expression(node).text}${shape === '' ? '' : `, '${shape}'`})`)
  }

  #plainMessage(cls: ClassInfo): boolean {
    if (this.#infer.method(cls, '__str__') !== null || cls.isDataclass) return false
    return cls.error !== null && cls.error !== 'KeyError'
  }

  #instanceText(node: Expression, type: Type): Code {
    for (const { cls } of type.of('instance')) {
      if (this.#infer.method(cls, '__str__') === null && this.#infer.method(cls, '__repr__') === null && !cls.isDataclass && !cls.isEnum) return this.problem(node, 'this prints an address: the class has no __str__ or __repr__')
      this.shown.add(cls)
    }
    return this.expression(node)
  }

  #repr(node: Expression): Code {
    const type = this.typeOf(node)
    if (type.of('error').some(({ name }) => name === 'ExceptionGroup')) return this.problem(node, "the text of an exception group: a TaskGroup's is our own")
    const shape = this.shape(type)
    if (shape === null) return type.unknown ? this.unknown(node, this.#whyUnprintable(node, type)) : this.problem(node, this.#whyUnprintable(node, type))
    return tight(`${this.use('repr', './python.ts')}(${this.expression(node).text}${shape === '' ? '' : `, '${shape}'`})`)
  }

  #whyUnprintable(node: Expression, type: Type): string {
    if (type.unknown) return `it is not known what '${source(node)}' is, and so not how it prints: add an annotation`
    if (type.has('float') && type.has('nat', 'int')) return `'${source(node)}' is a float or a whole number, which print differently: TypeScript has one kind of number`
    if (type.has('task', 'future', 'coro')) return 'the text of a task or future is our own'
    return `how '${source(node)}' prints is not translated`
  }

  /** The shape that `repr` needs to print the value; null if it cannot print it. */
  shape(type: Type): string | null {
    const shapes = new Set<string>()
    for (const atom of type.atoms) {
      const one = this.#shapeOf(atom)
      if (one === null) return null
      if (one !== '') shapes.add(one)
    }
    if (type.has('float') && type.has('nat', 'int')) return null
    if (shapes.size > 1 || (type.has('list') && type.of('tuple').some(({ isList }) => !isList))) return null
    return [...shapes][0] ?? ''
  }

  #shapeOf(atom: Atom): string | null {
    const inner = (...types: Type[]): string | null => {
      const shapes = types.map((type) => type.atoms.size === 0 ? '' : this.shape(type))
      if (shapes.some((shape) => shape === null)) return null
      return shapes.every((shape) => shape === '') ? '' : `[${shapes.map((shape) => shape === '' ? '_' : shape).join(', ')}]`
    }
    switch (atom.kind) {
      case 'nat': case 'int': case 'fraction': case 'str': case 'bool': case 'none': case 'void': return ''
      case 'float': return 'float'
      case 'list': { const text = inner(atom.elem); return text === null ? null : text === '' ? '' : `list${text}` }
      case 'tuple': {
        if (atom.isList) {
          const text = inner(union(...atom.elems))
          return text === null ? null : text === '' ? '' : `list${text}`
        }
        const text = inner(...atom.elems)
        return text === null ? null : `tuple${text}`
      }
      case 'dict': {
        if (atom.flavour !== 'dict') return null
        const text = inner(atom.key, atom.value)
        return text === null ? null : text === '' ? '' : `dict${text}`
      }
      case 'error': return atom.name === 'ExceptionGroup' ? null : ''
      case 'instance': {
        const { cls } = atom
        if (cls.error !== null) return this.#infer.method(cls, '__repr__') === null && this.#infer.method(cls, '__init__') === null ? '' : null
        if (cls.isDataclass || cls.isEnum || this.#infer.method(cls, '__repr__') !== null) {
          this.shown.add(cls)
          return cls.isEnum ? null : ''
        }
        return null
      }
      default: return null
    }
  }

  // Subscripts

  #subscript(node: Subscript): Code {
    const type = this.typeOf(node.value).without('none')
    const on = (level: number = LEVEL.call): string => this.present(node.value, level).text
    if (node.slice.type === 'Slice') {
      const { lower, upper, step } = node.slice
      if (!type.only('list', 'str', 'tuple')) return this.problem(node, 'a slice of this')
      if (step !== null) {
        if (lower === null && upper === null && step.type === 'UnaryOp' && step.operand.type === 'Constant' && step.operand.value === '1' && type.only('list')) return tight(`[...${on(LEVEL.unary)}].reverse()`)
        if (lower === null && upper === null && step.type === 'UnaryOp' && step.operand.type === 'Constant' && step.operand.value === '1' && type.only('str')) return tight(`[...${on(LEVEL.unary)}].reverse().join('')`)
        if (step.type === 'Constant' && type.only('list') && upper === null) return tight(`${on()}${lower === null ? '' : `.slice(${this.expression(lower).text})`}.filter((_, i) => i % ${this.expression(step).text} === 0)`)
        return this.problem(node, 'a slice with this step')
      }
      const parts = [lower, upper].map((part) => part === null ? '' : this.expression(part).text)
      return tight(`${on()}.slice(${upper === null ? parts[0] ?? '' : `${parts[0] === '' ? '0' : parts[0]}, ${parts[1]}`})`)
    }
    if (node.value.type === 'Attribute' && node.value.attr === 'args' && this.#isErrorInstance(this.typeOf(node.value.value))) return this.problem(node, 'error.args: use str(error)')
    if (type.has('api', 'class') && !type.of('class').some(({ cls }) => cls.isEnum)) return this.expression(node.value)
    if (type.unknown) return this.unknown(node.value, `it is not known what '${source(node.value)}' is`)
    const key = this.expression(node.slice).text
    if (type.only('dict')) {
      if (type.of('dict').every(({ flavour }) => flavour !== 'dict')) return tight(`${on()}.get(${key})`)
      this.#hashable(node, this.typeOf(node.slice))
      return tight(`${this.use('item', './python.ts')}(${on()}, ${key})`)
    }
    if (type.only('tuple') && node.slice.type === 'Constant') return tight(`${on()}[${key}]`)
    if (type.only('tuple') && node.slice.type === 'UnaryOp' && node.slice.operand.type === 'Constant') {
      const size = Math.min(...type.of('tuple').map(({ elems }) => elems.length))
      return tight(`${on()}[${size - Number(node.slice.operand.value)}]`)
    }
    if (type.only('list', 'deque', 'str', 'tuple')) return tight(`${this.use('item', './python.ts')}(${on(0)}, ${key})`)
    return this.problem(node, 'a subscript of this')
  }

  // Calls

  #call(node: Call): Code {
    const func = this.typeOf(node.func)
    const path = this.pathOf(node.func)
    const name = path?.slice(path.lastIndexOf('.') + 1) ?? (node.func.type === 'Attribute' ? node.func.attr : '')
    const outer = this.#orderFree
    this.#orderFree = ORDER_FREE.has(name)
    try {
      return this.#callCode(node, func, path)
    } finally {
      this.#orderFree = outer
    }
  }

  #callCode(node: Call, func: Type, path: string | null): Code {
    if (path === 'builtins.print') return tight(this.printCall(node))
    if (node.func.type === 'Attribute' && node.func.attr === 'format' && this.typeOf(node.func.value).only('str')) return this.#formatCall(node)
    if (node.func.type === 'Name' && node.func.id === 'super') return tight('super')
    if (node.func.type === 'Attribute' && node.func.value.type === 'Call' && dotted(node.func.value.func) === 'super') return this.#superCall(node, node.func.attr, func)
    if (path !== null) {
      const api = API[path]
      const name = path.slice(path.lastIndexOf('.') + 1)
      if (path.startsWith('asyncio.') && name in ERRORS) return tight(`new ${this.#errorClass(name)}(${this.#arguments(node)})`)
      if (api === undefined) return this.problem(node, `${path} is not translated`)
      return this.#apiCall(node, api, null, camelCase(name), true)
    }
    const [first] = func.without('none').atoms
    if (first === undefined) {
      if (node.func.type === 'Attribute' && !this.typeOf(node.func.value).without('none').unknown) return this.problem(node, `.${node.func.attr}(…) is not translated`)
      if (node.func.type === 'Attribute') return this.unknown(node.func.value, `it is not known what '${source(node.func.value)}' is, and so not what '.${node.func.attr}(…)' does: add an annotation`)
      return this.unknown(node.func, `it is not known what '${source(node.func)}' is`)
    }
    switch (first.kind) {
      case 'routine': return this.#routineCall(node, func)
      case 'class': return tight(`new ${this.#className(node.func, first.cls)}(${this.#constructorArguments(node, first.cls)})`)
      case 'errorClass': {
        const text = `new ${this.expression(node.func, LEVEL.call).text}(${this.#arguments(node)})`
        if (first.name === 'ExceptionGroup') return tight(text)
        if (node.args.length > 1 || node.keywords.length > 0) return this.problem(node, 'an exception with several arguments')
        if (node.args[0] !== undefined && !this.typeOf(node.args[0]).only('str')) return this.problem(node, 'an exception whose argument is not known to be a string')
        return tight(text)
      }
      case 'method': {
        const api = apiOf(first)
        if (api === null || node.func.type !== 'Attribute') return node.func.type === 'Attribute' ? this.problem(node, `.${node.func.attr} is not translated`) : tight(`${this.expression(node.func, LEVEL.call).text}(${this.#arguments(node)})`)
        return this.#apiCall(node, api, first.on, camelCase(node.func.attr), false)
      }
      case 'partial': case 'any': case 'api': return tight(`${this.present(node.func, LEVEL.call).text}(${this.#arguments(node)})`)
      default: return this.problem(node, 'a call of this')
    }
  }

  #className(func: Expression, cls: ClassInfo): string {
    return func.type === 'Name' && !this.isSelf(this.#program.variables.get(func) as Variable) ? cls.variable.code === this.#program.variables.get(func)?.code ? cls.variable.code : this.expression(func).text : this.expression(func, LEVEL.call).text
  }

  #arguments(node: Call): string {
    if (node.keywords.length > 0) this.problem(node, 'keywords here')
    return this.#items(node.args)
  }

  #constructorArguments(node: Call, cls: ClassInfo): string {
    const init = this.#infer.method(cls, '__init__')
    if (init !== null) return this.#argumentsFor(node, init, true)
    if (!cls.isDataclass) {
      if (cls.error !== null && (node.args.length > 1 || (node.args[0] !== undefined && !this.typeOf(node.args[0]).only('str')))) this.problem(node, 'an exception whose argument is not one string')
      return this.#arguments(node)
    }
    const names = dataFieldNames(cls)
    const values: (string | null)[] = node.args.map((arg) => this.expression(arg).text)
    for (const { arg, value } of node.keywords) {
      if (arg === null) return this.problem(node, '** in a call').text
      values[names.indexOf(arg)] = this.expression(value).text
    }
    return Array.from(values, (value) => value ?? 'undefined').join(', ')
  }

  #superCall(node: Call, name: string, func: Type): Code {
    if (name === '__init__') {
      const [first] = func.of('routine')
      if (first !== undefined) return tight(`super(${this.#argumentsFor(node, first.routine, true)})`)
      if (node.args.length > 1 || (node.args[0] !== undefined && !this.typeOf(node.args[0]).only('str'))) this.problem(node, 'an exception whose argument is not one string')
      return tight(`super(${this.#arguments(node)})`)
    }
    const [first] = func.of('routine')
    if (first === undefined) return this.problem(node, `super().${name} is not known`)
    if (this.depth > 0) return this.problem(node, 'super() inside a body of its own')
    return tight(`super.${methodName(name)}(${this.#argumentsFor(node, first.routine, true)})`)
  }

  #routineCall(node: Call, func: Type): Code {
    const routines = func.of('routine')
    const [first] = routines
    if (first === undefined) return this.problem(node, 'a call of this')
    const { routine } = first
    if (node.func.type === 'Attribute' && routine.owner !== null) {
      const on = this.typeOf(node.func.value)
      if (!routines.every((other) => other.routine.node.type !== 'Lambda')) return this.problem(node, 'a call of this')
      if (first.self !== null || on.only('class')) {
        // `Class.method(object)` has no counterpart.
        if (first.self === null && !routine.decorators.includes('staticmethod')) return this.problem(node, 'a method called on its class')
        return tight(`${this.present(node.func.value, LEVEL.call).text}.${methodName(node.func.attr)}(${this.#argumentsFor(node, routine, first.self !== null)})`)
      }
    }
    const spread = node.args.some((arg) => arg.type === 'Starred' && (!this.typeOf(arg.value).only('tuple') || this.#isRest(arg.value)))
    const same = routines.every((other) => parametersOf(other.routine.node).map(({ arg }) => arg).join() === parametersOf(routine.node).map(({ arg }) => arg).join())
    if (!same && node.keywords.some(({ arg }) => arg !== null)) return this.problem(node, 'keywords in a call of several functions')
    const direct = node.func.type === 'Name' && this.#program.variables.get(node.func)?.kind === 'function'
    const target = this.present(node.func, LEVEL.call).text
    if (routines.length > 1 || (!direct && node.keywords.every(({ arg }) => arg === null))) {
      const free = node.func.type === 'Name' && this.#program.spread.has(this.#program.variables.get(node.func) as Variable)
      const on = spread && !free ? `(${target} as (...args: any[]) => ${this.ts(this.typeOf(node))})` : target
      return tight(`${on}(${this.#items(node.args)})`)
    }
    const text = this.#argumentsFor(node, routine, first.self !== null)
    return tight(`${spread && routine.node.args.vararg === null ? `(${target} as (...args: any[]) => ${this.ts(this.typeOf(node))})` : target}(${text})`)
  }

  /** Whether it is the `*args` of a function around, an array of any length. */
  #isRest(value: Expression): boolean {
    return value.type === 'Name' && this.routines.some(({ node }) => node.args.vararg?.arg === value.id)
  }

  /** The arguments in the order of the function's parameters in TypeScript. */
  #argumentsFor(node: Call, routine: Routine, bound: boolean): string {
    const { args } = routine.node
    const plainNames = [...args.posonlyargs, ...args.args].slice(bound ? 1 : 0).map(({ arg }) => arg)
    const order = [...plainNames, ...args.kwonlyargs.map(({ arg }) => arg)]
    const values = new Array<string | undefined>(0)
    const rest: string[] = []
    let spread = false
    for (const [i, arg] of node.args.entries()) {
      const text = arg.type === 'Starred' ? `...${this.iterable(arg.value).text}` : this.expression(arg).text
      if (spread || arg.type === 'Starred') {
        spread = true
        rest.push(text)
      } else if (i < plainNames.length) values[i] = text
      else if (args.vararg !== null) rest.push(text)
      else this.problem(arg, 'more arguments than the function takes')
    }
    const positions: number[] = []
    for (const { arg, value } of node.keywords) {
      if (arg === null) {
        // Keywords that are only passed on: there are none in TypeScript.
        if (!this.passesKeywords(value)) this.problem(node, '** in a call')
        continue
      }
      const at = order.indexOf(arg)
      if (at < 0) {
        this.problem(value, `the keyword ${arg} has no parameter that is known`)
        continue
      }
      positions.push(at)
      values[at] = this.expression(value).text
    }
    const effects = node.keywords.filter(({ value }) => [...everyExpression(value)].some(({ type }) => type === 'Await')).length
    if (effects > 0 && node.keywords.length > 1 && positions.some((at, i) => i > 0 && at < (positions[i - 1] as number))) this.problem(node, 'awaits in keywords that are not in the order of the parameters')
    if (rest.length > 0 && !spread) while (values.length < order.length) values.push(undefined)
    if (spread && args.vararg !== null) while (values.length < order.length && args.kwonlyargs.length > 0) values.push(undefined)
    return [...Array.from(values, (value) => value ?? 'undefined'), ...rest].join(', ')
  }

  /** Whether it is the function's own `**kwargs`. */
  passesKeywords(value: Expression): boolean {
    return value.type === 'Name' && this.routines.some(({ node }) => node.args.kwarg?.arg === value.id)
  }

  #apiCall(node: Call, api: Api, on: Atom | null, name: string, imported: boolean): Code {
    const { positional, options } = parseSignature(api.signature)
    for (const { arg } of node.keywords) {
      if (arg === null) return this.problem(node, '** in a call')
      if (!positional.includes(arg) && !options.includes(arg)) return this.problem(node, `the keyword ${arg} is not translated`)
    }
    const arg = (wanted: string): Expression | null => node.keywords.find((keyword) => keyword.arg === wanted)?.value ?? node.args[positional.indexOf(wanted)] ?? null
    const object = on === null || node.func.type !== 'Attribute' ? '' : this.present(node.func.value, LEVEL.call).text
    const code = (wanted: string, level = 0): string => { const value = arg(wanted); return value === null ? '' : this.expression(value, level).text }
    if (api.write !== undefined) {
      const written = api.write({ node, w: this, on: object, onAtom: on, arg, rest: node.args.slice(positional.length), code })
      return typeof written === 'string' ? tight(written) : written
    }
    const values = this.#positional(node, positional)
    const given = options.flatMap((option) => { const value = arg(option); return value === null ? [] : [`${camelCase(option)}: ${this.expression(value).text}`] })
    if (given.length > 0) values.push(`{ ${given.join(', ')} }`)
    return tight(`${imported ? this.use(name) : `${object}.${name}`}(${values.join(', ')})`)
  }

  #positional(node: Call, names: string[]): string[] {
    const values = node.args.map((arg, i) => arg.type === 'Starred' ? `...${this.iterable(arg.value).text}` : (['awaitable', 'coro'].includes(names[i] ?? '') ? this.present(arg) : this.expression(arg)).text)
    for (const { arg, value } of node.keywords) {
      const at = names.indexOf(arg ?? '')
      if (at >= 0) values[at] = this.expression(value).text
    }
    return Array.from(values, (value) => value as string | undefined ?? 'undefined')
  }

  /** `'{} of {}'.format(a, b)` as an f-string. */
  #formatCall(node: Call): Code {
    const on = (node.func as Attribute).value
    if (on.type !== 'Constant') return this.problem(node, 'format of something other than a literal')
    const parts: Expression[] = []
    let next = 0
    for (const piece of String(on.value).split(/(\{\{|\}\}|\{[^{}]*\})/)) {
      const field = /^\{(\w*)(?:!([rs]))?(?::([^}]*))?\}$/.exec(piece)
      if (field === null) {
        parts.push(literal(node, piece === '{{' ? '{' : piece === '}}' ? '}' : piece))
        continue
      }
      const [, name = '', conversion, spec] = field
      const value = /^\d*$/.test(name) ? node.args[name === '' ? next++ : Number(name)] : node.keywords.find(({ arg }) => arg === name)?.value
      if (value === undefined) return this.problem(node, `format has no value for {${name}}`)
      parts.push({ ...at(node), type: 'FormattedValue', value, conversion: conversion === 'r' ? 114 : -1, format_spec: spec === undefined ? null : { ...at(node), type: 'JoinedStr', values: [literal(node, spec)] } })
    }
    return this.#template({ ...at(node), type: 'JoinedStr', values: parts })
  }

  // Output

  printCall(node: Call): string {
    const option = (name: string): Expression | null => node.keywords.find(({ arg }) => arg === name)?.value ?? null
    if (option('file') !== null) return this.problem(node, 'print to a file').text
    for (const { arg } of node.keywords) if (!['sep', 'end', 'flush'].includes(arg ?? '')) return this.problem(node, '** in print').text
    const [sep, end] = [option('sep'), option('end')]
    const [starred] = node.args
    if (sep === null && end === null) {
      if (node.args.some(({ type }) => type === 'Starred')) {
        if (node.args.length > 1 || starred?.type !== 'Starred') return this.problem(node, 'print of a star among other values').text
        const items = union(elementsOf(this.typeOf(starred.value), 'list', 'deque', 'iter', 'set'))
        if (!items.only('nat', 'int', 'str', 'fraction')) return this.problem(node, 'print of a star of these values').text
        return `${this.print()}(...${this.iterable(starred.value).text})`
      }
      return `${this.print()}(${node.args.map((arg) => this.typeOf(arg).only('nat', 'int', 'str', 'fraction') ? this.expression(arg).text : this.asString(arg)).join(', ')})`
    }
    if (node.args.some(({ type }) => type === 'Starred')) {
      if (node.args.length > 1 || starred?.type !== 'Starred' || end !== null || sep === null) return this.problem(node, 'print of a star with these keywords').text
      return `${this.print()}(${this.array(starred.value).text}.join(${this.expression(sep).text}))`
    }
    const values: Expression[] = node.args.flatMap((arg, i) => {
      const value: Expression = arg.type === 'JoinedStr' || arg.type === 'Constant' && arg.kind === 'str' ? arg : { ...at(arg), type: 'FormattedValue', value: arg, conversion: -1, format_spec: null }
      const between: Expression[] = i === 0 ? [] : [sep ?? literal(node, ' ')]
      return [...between, value]
    }).flatMap((value): Expression[] => value.type === 'JoinedStr' ? value.values : value.type === 'Constant' || value.type === 'FormattedValue' ? [value] : [{ ...at(value), type: 'FormattedValue', value, conversion: -1, format_spec: null }])
    if (end === null) return `${this.print()}(${this.#template({ ...at(node), type: 'JoinedStr', values }).text})`
    const last: Expression = end.type === 'Constant' && end.kind === 'str' ? end : { ...at(end), type: 'FormattedValue', value: end, conversion: -1, format_spec: null }
    return `${this.use('write', './python.ts')}(${this.#template({ ...at(node), type: 'JoinedStr', values: [...values, last] }).text})`
  }
}

/** What a method is called: Python's special ones have names of their own. */
export function methodName(name: string): string {
  const special: Record<string, string> = { __aenter__: 'enter', __aexit__: 'exit', __enter__: 'enter', __exit__: 'exit', __str__: 'toString', __repr__: 'repr', __iter__: '[Symbol.iterator]' }
  return special[name] ?? camelCase(name)
}

function dataFieldNames(cls: ClassInfo): string[] {
  return [...cls.bases.flatMap(dataFieldNames), ...cls.node.body.flatMap((statement) => statement.type === 'AnnAssign' && statement.target.type === 'Name' ? [statement.target.id] : [])]
}

function at({ line, column, endLine }: At): At {
  return { line, column, endLine }
}

function literal(node: At, value: string): Constant {
  return { ...at(node), type: 'Constant', kind: 'str', value }
}

function arrowBody(text: string): string {
  return text.startsWith('{') ? `(${text})` : text
}

function opposite(op: Comparison): Comparison {
  const pairs: Record<Comparison, Comparison> = {
    Eq: 'NotEq', NotEq: 'Eq', Is: 'IsNot', IsNot: 'Is', In: 'NotIn', NotIn: 'In', Lt: 'GtE', GtE: 'Lt', Gt: 'LtE', LtE: 'Gt',
  }
  return pairs[op]
}

function overlap(a: Type, b: Type): boolean {
  const group = (atom: Atom): string => ['nat', 'int', 'fraction', 'float'].includes(atom.kind) ? 'number' : atom.kind === 'error' || (atom.kind === 'instance' && atom.cls.error !== null) ? 'error' : atom.kind
  const groups = new Set([...a.atoms].map(group))
  return [...b.atoms].some((atom) => groups.has(group(atom)))
}

function truth({ kind, value }: Constant): boolean {
  return kind === 'int' || kind === 'float' ? Number(value) !== 0 : kind === 'str' ? value !== '' : kind !== 'none'
}

export function quoted(text: string): string {
  const mark = text.includes("'") && !text.includes('"') ? '"' : "'"
  return mark + text.replace(/[\\\n\r\t\0\u2028\u2029]/g, escaped).replaceAll(mark, `\\${mark}`) + mark
}

function escaped(letter: string): string {
  const known: Record<string, string> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t', '\0': '\\0' }
  return known[letter] ?? `\\u${letter.charCodeAt(0).toString(16)}`
}

function templated(text: string): string {
  return text.replace(/[\\\n\r\t\0]/g, escaped).replaceAll('`', '\\`').replaceAll('${', '\\${')
}

function arrayText(elem: string): string {
  return elem.includes(' | ') ? `(${elem})[]` : `${elem}[]`
}

/** The name that a chain of attributes, calls and subscripts begins with. */
function rootOf(node: Expression): Name | null {
  if (node.type === 'Name') return node
  if (node.type === 'Attribute' || node.type === 'Subscript' || node.type === 'Await') return rootOf(node.value)
  return node.type === 'Call' ? rootOf(node.func) : null
}

/** An expression as the program writes it, as far as it is short. */
function source(node: Expression): string {
  if (node.type === 'Name') return node.id
  if (node.type === 'Attribute') return `${source(node.value)}.${node.attr}`
  if (node.type === 'Call') return `${source(node.func)}(…)`
  if (node.type === 'Subscript') return `${source(node.value)}[…]`
  if (node.type === 'Await') return `await ${source(node.value)}`
  return '…'
}
