// What the writers of expressions and statements share: what the program needs besides its lines, what is around the place that
// is being written, and the ways in which they ask each other for code.
import { API } from '../api.ts'
import { LEVEL, operand, tight, type Code } from '../code.ts'
import type { Module, Writing } from '../entry.ts'
import { parametersOf, type ClassInfo, type Program, type Routine, type Variable } from '../scopes.ts'
import type { At, Expression, Name } from '../tree.ts'
import type { Type } from '../types.ts'
import { typeText } from '../typescript-types.ts'
import type { Knowledge } from '../infer/knowledge.ts'

export interface Untranslated {
  line: number
  column: number
  message: string
}

export abstract class Writer implements Writing {
  readonly infer: Knowledge
  readonly program: Program
  readonly imports = new Map<Module, Set<string>>()
  readonly problems: Untranslated[] = []
  /** JavaScript's globals that the program needs under their own names. */
  readonly globals = new Set<string>()
  /** Classes whose instances are printed. */
  readonly shown: Set<ClassInfo>
  /** Variables whose value could not be translated: that was said where they got it. */
  readonly lost = new Set<Variable>()
  /** Whether the program prints parts of lines. */
  readonly #printsParts: boolean
  #temporaries = 0

  /** Statements that have to come before the one that is being written. */
  before: string[] = []
  /** The functions around what is being written, the innermost last. */
  readonly routines: Routine[] = []
  /** The names of the caught errors around it. */
  readonly caught: string[] = []
  /** How many functions with a `this` of their own are between here and the method. */
  depth = 0
  usesSelf = false
  /** The variables that the statement assigns. */
  readonly assigning = new Set<string>()
  /** Whether the two sets of `wait` may be given here: as a tuple they would be something else. */
  takesSets = false
  /** Whether the order of what is gone through here does not matter. */
  orderFree = false
  /** Whether this is a part of a calculation with floats. */
  float = false

  constructor(infer: Knowledge, program: Program, shown: ReadonlySet<ClassInfo>, printsParts: boolean) {
    this.infer = infer
    this.program = program
    this.shown = new Set(shown)
    this.#printsParts = printsParts
  }

  abstract expression(node: Expression): Code
  abstract text(node: Expression): Code
  abstract array(node: Expression): Code
  abstract iterable(node: Expression): Code
  abstract test(node: Expression, negated?: boolean): Code
  abstract instanceOf(value: Code, classes: Expression): Code
  abstract checkKeys(node: At, key: Type): void

  code(node: Expression, level = 0): string {
    return operand(this.expression(node), level)
  }

  /** The value, which is not None here. */
  presentCode(node: Expression): Code {
    const type = this.typeOf(node)
    return type.has('none') && !type.only('none') && !type.has('any') ? tight(`${this.code(node, LEVEL.call)}!`) : this.expression(node)
  }

  present(node: Expression, level = 0): string {
    return operand(this.presentCode(node), level)
  }

  /** Writes code for a place that differs from this one. */
  during<K extends 'takesSets' | 'orderFree' | 'float', T>(what: K, value: Writer[K], write: () => T): T {
    const outer = this[what]
    this[what] = value
    try {
      return write()
    } finally {
      this[what] = outer
    }
  }

  use(name: string, from: Module = 'loopscope'): string {
    let names = this.imports.get(from)
    if (names === undefined) this.imports.set(from, names = new Set())
    names.add(name)
    return name
  }

  python(name: string): string {
    return this.use(name, './python.ts')
  }

  mapOf(key: Type): string {
    return key.has('tuple') ? this.python('TupleMap') : this.global('Map')
  }

  setOf(elem: Type): string {
    return elem.has('tuple') ? `${this.python('TupleSet')}<${this.ts(elem)}>` : 'Set'
  }

  print(): string {
    return this.use('print', this.#printsParts ? './python.ts' : 'loopscope')
  }

  global(name: string): string {
    this.globals.add(name)
    return name
  }

  temporary(name: string): string {
    return `${name}${this.#temporaries++ === 0 ? '' : this.#temporaries}`
  }

  problem(node: At, message: string): Code {
    this.problems.push({ line: node.line, column: node.column, message })
    return tight(`undefined /* ${message} */`)
  }

  /** A value of which nothing is known; if it cannot be translated itself, that is what is reported. */
  unknown(node: Expression, message: string): Code {
    const before = this.problems.length
    this.expression(node)
    const root = rootOf(node)
    const variable = root === null ? undefined : this.program.variables.get(root)
    if (this.problems.length > before || (variable !== undefined && this.lost.has(variable))) return tight('undefined')
    return this.problem(node, message)
  }

  typeOf(node: Expression): Type {
    return this.infer.typeOf(node)
  }

  ts(type: Type): string {
    return typeText(type, this)
  }

  /** The type of a variable; a function that is called with a star takes anything. */
  variableType(variable: Variable): string {
    const text = this.ts(variable.type)
    return this.program.spread.has(variable) && variable.type.only('routine') ? text.replace(/^\(.*?\) => /s, '(...args: any[]) => ') : text
  }

  variable(routine: Routine, name: string): Variable | undefined {
    return routine.scope.variables.get(name)
  }

  /** Whether it is the first parameter of a method. */
  isSelf(variable: Variable): boolean {
    return this.routines.some((routine) => routine.owner !== null && !routine.decorators.includes('staticmethod')
      && parametersOf(routine.node)[0]?.arg === variable.name && routine.scope === variable.scope)
  }

  get insideCoroutine(): boolean {
    return this.routines.findLast(({ node }) => node.type !== 'Lambda')?.isAsync === true
  }

  get insideFunction(): boolean {
    return this.routines.length > 0
  }

  /** `asyncio.sleep`, however the program has imported it. */
  pathOf(node: Expression): string | null {
    if (node.type === 'Name') {
      const variable = this.program.variables.get(node)
      if (variable === undefined) return `builtins.${node.id}` in API ? `builtins.${node.id}` : null
      return this.program.imports.get(variable) ?? null
    }
    if (node.type === 'Subscript') return this.typeOf(node.value).has('api') ? this.pathOf(node.value) : null
    if (node.type !== 'Attribute') return null
    const outer = this.pathOf(node.value)
    return outer === null || outer.startsWith('builtins.') ? null : `${outer}.${node.attr}`
  }

  isCallOf(node: Expression, path: string): node is Expression & { type: 'Call' } {
    return node.type === 'Call' && this.pathOf(node.func) === path
  }
}

/** The name that a chain of attributes, calls and subscripts begins with. */
function rootOf(node: Expression): Name | null {
  if (node.type === 'Name') return node
  if (node.type === 'Attribute' || node.type === 'Subscript' || node.type === 'Await') return rootOf(node.value)
  return node.type === 'Call' ? rootOf(node.func) : null
}

/** An expression as the program writes it, as far as it is short. */
export function source(node: Expression): string {
  if (node.type === 'Name') return node.id
  if (node.type === 'Attribute') return `${source(node.value)}.${node.attr}`
  if (node.type === 'Call') return `${source(node.func)}(…)`
  if (node.type === 'Subscript') return `${source(node.value)}[…]`
  if (node.type === 'Await') return `await ${source(node.value)}`
  return '…'
}

/** That nothing is known of a value, and what is therefore open. */
export function notKnown(node: Expression, open: string): string {
  return `it is not known what '${source(node)}' is, and so not ${open}`
}
