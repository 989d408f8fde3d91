// The scopes of a program with their variables, and where each variable is written and read:
// from that follows where TypeScript has to declare it.
import type { Argument, ClassDef, Expression, FunctionDef, Handler, Lambda, Module, Statement } from './tree.ts'
import { everyExpression, everyStatement, expressionsIn, expressionsOf } from './tree.ts'
import { Type } from './types.ts'

/** A block of statements; `statement` is the one that it belongs to, in the block around it. */
export interface Block {
  parent: Block | null
  statement: Statement | null
  /** Whether its statements may run more than once in one call of the function. */
  repeats: boolean
  scope: Scope
}

export interface Occurrence {
  block: Block
  statement: Statement | null
  write: boolean
  /** Whether a function inside the variable's own function uses it. */
  captured: boolean
}

export class Variable {
  readonly type = new Type()
  readonly occurrences: Occurrence[] = []
  /** Its name in TypeScript. */
  code: string
  kind: 'local' | 'parameter' | 'function' | 'class' | 'import' | 'item' = 'local'
  /** How often it is assigned. */
  writes = 0

  readonly name: string
  readonly scope: Scope

  constructor(name: string, scope: Scope) {
    this.name = name
    this.scope = scope
    this.code = name
  }
}

export class Scope {
  readonly variables = new Map<string, Variable>()
  /** Names that `global` or `nonlocal` takes from outside. */
  readonly outer = new Map<string, 'Global' | 'Nonlocal'>()

  readonly kind: 'module' | 'function' | 'class' | 'comprehension'
  readonly parent: Scope | null

  constructor(kind: Scope['kind'], parent: Scope | null) {
    this.kind = kind
    this.parent = parent
  }

  own(name: string): Variable {
    let variable = this.variables.get(name)
    if (variable === undefined) this.variables.set(name, variable = new Variable(name, this))
    return variable
  }

  find(name: string): Variable | null {
    const mode = this.outer.get(name)
    if (mode === 'Global') return this.module().variables.get(name) ?? null
    const own = mode === undefined ? this.variables.get(name) : undefined
    if (own !== undefined) return own
    // A class's names are not seen from its methods.
    let scope = this.parent
    while (scope !== null && scope.kind === 'class') scope = scope.parent
    return scope?.find(name) ?? null
  }

  module(): Scope {
    return this.parent === null ? this : this.parent.module()
  }

  /** The function or module that it is in. */
  function(): Scope {
    return this.kind === 'comprehension' && this.parent !== null ? this.parent.function() : this
  }
}

/** A function or lambda. */
export interface Routine {
  node: FunctionDef | Lambda
  scope: Scope
  owner: ClassInfo | null
  /** Its statements; a lambda has none. */
  body: readonly Statement[]
  returns: Type
  yields: Type
  isAsync: boolean
  isGenerator: boolean
  /** Whether it is a generator that a decorator makes a context manager of. */
  isContext: boolean
  decorators: string[]
}

export interface ClassInfo {
  node: ClassDef
  scope: Scope
  variable: Variable
  bases: ClassInfo[]
  /** The name of the exception that it extends at last, if it is one. */
  error: string | null
  isDataclass: boolean
  isEnum: boolean
  /** What is assigned to `self`, in the order of the text. */
  fields: Map<string, Type>
  methods: Map<string, Routine>
  /** Values in the body of the class. */
  statics: Map<string, Type>
}

export interface Program {
  module: Scope
  variables: Map<object, Variable>
  routines: Map<object, Routine>
  classes: Map<object, ClassInfo>
  scopes: Map<object, Scope>
  /** What an imported name means, such as `asyncio.sleep`. */
  imports: Map<Variable, string>
  /** Whether a pattern of `match` looks into sequences. */
  hasPatterns: boolean
  /** Variables whose functions are called with a star. */
  spread: Set<Variable>
}

/** What a decorator or base class is called, with its module if it is written. */
export function dotted(expression: Expression): string {
  if (expression.type === 'Name') return expression.id
  if (expression.type === 'Attribute') return `${dotted(expression.value)}.${expression.attr}`
  return expression.type === 'Call' ? dotted(expression.func) : ''
}

/** The names that an assignment's left side binds. */
export function targetsOf(target: Expression): (Expression & { type: 'Name' })[] {
  if (target.type === 'Name') return [target]
  if (target.type === 'Starred') return targetsOf(target.value)
  if (target.type === 'Tuple' || target.type === 'List') return target.elts.flatMap(targetsOf)
  return []
}

export function bind(tree: Module): Program {
  const module = new Scope('module', null)
  const program: Program = { module, variables: new Map(), routines: new Map(), classes: new Map(), scopes: new Map(), imports: new Map(), hasPatterns: false, spread: new Set() }
  new Binder(program).scope(tree.body, module, null)
  return program
}

interface Place {
  block: Block
  statement: Statement | null
}

class Binder {
  readonly #program: Program

  constructor(program: Program) {
    this.#program = program
  }

  scope(body: readonly Statement[], scope: Scope, owner: ClassInfo | null): void {
    for (const statement of everyStatement(body)) this.#declare(statement, scope)
    this.#block(body, { parent: null, statement: null, repeats: false, scope }, owner)
  }

  #declare(statement: Statement, scope: Scope): void {
    const own = (name: string): void => { if (!scope.outer.has(name)) scope.own(name) }
    const targets = (target: Expression): void => targetsOf(target).forEach(({ id }) => own(id))
    switch (statement.type) {
      case 'Global': case 'Nonlocal': for (const name of statement.names) scope.outer.set(name, statement.type); break
      case 'Assign': statement.targets.forEach(targets); break
      case 'AugAssign': case 'AnnAssign': targets(statement.target); break
      case 'For': case 'AsyncFor': targets(statement.target); break
      case 'With': case 'AsyncWith': for (const { optional_vars: variable } of statement.items) if (variable !== null) targets(variable); break
      case 'FunctionDef': case 'AsyncFunctionDef': case 'ClassDef': own(statement.name); break
      case 'Import': for (const { name, asname } of statement.names) own(asname ?? name.split('.')[0] as string); break
      case 'ImportFrom': for (const { name, asname } of statement.names) own(asname ?? name); break
      case 'Try': case 'TryStar': for (const { name } of statement.handlers) if (name !== null) own(name); break
      default:
    }
    if (statement.type !== 'FunctionDef' && statement.type !== 'AsyncFunctionDef' && statement.type !== 'ClassDef') {
      for (const expression of expressionsOf(statement)) {
        for (const inner of everyExpression(expression)) if (inner.type === 'NamedExpr') own(inner.target.id)
      }
    }
  }

  #block(body: readonly Statement[], block: Block, owner: ClassInfo | null): void {
    for (const statement of body) this.#statement(statement, { block, statement }, owner)
  }

  #inner(body: readonly Statement[], place: Place, owner: ClassInfo | null, repeats = false): void {
    this.#block(body, { parent: place.block, statement: place.statement, repeats: repeats || place.block.repeats, scope: place.block.scope }, owner)
  }

  #statement(statement: Statement, place: Place, owner: ClassInfo | null): void {
    const { scope } = place.block
    switch (statement.type) {
      case 'FunctionDef': case 'AsyncFunctionDef': {
        statement.decorator_list.forEach((decorator) => this.#expression(decorator, scope, place))
        const variable = this.#occur(scope.find(statement.name), statement, scope, place, true)
        if (variable !== null) variable.kind = 'function'
        this.#routine(statement, scope, place, owner)
        return
      }
      case 'ClassDef': this.#class(statement, scope, place); return
      case 'For': case 'AsyncFor':
        this.#expression(statement.iter, scope, place)
        this.#target(statement.target, scope, place)
        this.#inner(statement.body, place, owner, true)
        this.#inner(statement.orelse, place, owner)
        return
      case 'While':
        this.#expression(statement.test, scope, place)
        this.#inner(statement.body, place, owner, true)
        this.#inner(statement.orelse, place, owner)
        return
      case 'If':
        this.#expression(statement.test, scope, place)
        this.#inner(statement.body, place, owner)
        this.#inner(statement.orelse, place, owner)
        return
      case 'With': case 'AsyncWith':
        for (const { context_expr: value, optional_vars: variable } of statement.items) {
          this.#expression(value, scope, place)
          if (variable !== null) this.#target(variable, scope, place)
        }
        this.#inner(statement.body, place, owner)
        return
      case 'Try': case 'TryStar':
        this.#inner(statement.body, place, owner)
        for (const handler of statement.handlers) this.#handler(handler, scope, place, owner)
        this.#inner(statement.orelse, place, owner)
        this.#inner(statement.finalbody, place, owner)
        return
      case 'Assign':
        this.#expression(statement.value, scope, place)
        for (const target of statement.targets) this.#target(target, scope, place)
        return
      case 'AugAssign':
        if (statement.target.type === 'Name') this.#occur(scope.find(statement.target.id), statement.target, scope, place, false)
        this.#expression(statement.value, scope, place)
        this.#target(statement.target, scope, place)
        return
      case 'AnnAssign':
        if (statement.value !== null) this.#expression(statement.value, scope, place)
        this.#target(statement.target, scope, place)
        return
      case 'Import': case 'ImportFrom':
        for (const alias of statement.names) {
          const variable = scope.find(alias.asname ?? (statement.type === 'Import' ? alias.name.split('.')[0] as string : alias.name))
          if (variable === null) continue
          this.#program.variables.set(alias, variable)
          variable.kind = 'import'
          this.#program.imports.set(variable, statement.type === 'ImportFrom' ? `${statement.module ?? ''}.${alias.name}` : alias.asname === null ? alias.name.split('.')[0] as string : alias.name)
        }
        return
      case 'Match': return
      default: for (const expression of expressionsOf(statement)) this.#expression(expression, scope, place)
    }
  }

  #handler(handler: Handler, scope: Scope, place: Place, owner: ClassInfo | null): void {
    if (handler.of !== null) this.#expression(handler.of, scope, place)
    const block: Block = { parent: place.block, statement: place.statement, repeats: place.block.repeats, scope }
    if (handler.name !== null) {
      // The name ends with its clause.
      const inner = new Scope('comprehension', scope)
      const variable = inner.own(handler.name)
      variable.kind = 'item'
      variable.writes = 1
      this.#program.variables.set(handler, variable)
      this.#program.scopes.set(handler, inner)
      block.scope = inner
    }
    this.#block(handler.body, block, owner)
  }

  #target(target: Expression, scope: Scope, place: Place): void {
    for (const name of targetsOf(target)) this.#occur(scope.find(name.id), name, scope, place, true)
    for (const inner of everyExpression(target)) {
      if (inner.type === 'Attribute' || inner.type === 'Subscript') {
        for (const part of expressionsOf(inner)) this.#expression(part, scope, place)
      }
    }
  }

  #occur(variable: Variable | null, node: object, scope: Scope, { block, statement }: Place, write: boolean): Variable | null {
    if (variable === null) return null
    this.#program.variables.set(node, variable)
    if (write) variable.writes++
    variable.occurrences.push({ block, statement, write, captured: scope.function() !== variable.scope.function() })
    return variable
  }

  #expression(expression: Expression, scope: Scope, place: Place): void {
    switch (expression.type) {
      case 'Name': this.#occur(scope.find(expression.id), expression, scope, place, false); return
      case 'NamedExpr':
        this.#expression(expression.value, scope, place)
        this.#occur(scope.function().find(expression.target.id), expression.target, scope.function(), place, true)
        return
      case 'Lambda': this.#routine(expression, scope, place, null); return
      case 'ListComp': case 'SetComp': case 'GeneratorExp': case 'DictComp': {
        const inner = new Scope('comprehension', scope)
        this.#program.scopes.set(expression, inner)
        for (const [i, { target, iter, ifs }] of expression.generators.entries()) {
          this.#expression(iter, i === 0 ? scope : inner, place)
          for (const name of targetsOf(target)) {
            const variable = inner.own(name.id)
            variable.kind = 'item'
            this.#occur(variable, name, inner, place, true)
          }
          for (const test of ifs) this.#expression(test, inner, place)
        }
        if (expression.type === 'DictComp') {
          this.#expression(expression.key, inner, place)
          this.#expression(expression.value, inner, place)
        } else this.#expression(expression.elt, inner, place)
        return
      }
      case 'Compare':
        if (expression.isPattern === true && expression.left.type === 'Subscript') this.#program.hasPatterns = true
        for (const inner of expressionsOf(expression)) this.#expression(inner, scope, place)
        return
      default: for (const inner of expressionsOf(expression)) this.#expression(inner, scope, place)
    }
  }

  #routine(node: FunctionDef | Lambda, scope: Scope, place: Place, owner: ClassInfo | null): void {
    const inner = new Scope('function', scope)
    const { args } = node
    for (const value of [...args.defaults, ...args.kw_defaults]) if (value !== null) this.#expression(value, scope, place)
    for (const argument of parametersOf(node)) {
      const variable = inner.own(argument.arg)
      variable.kind = 'parameter'
      this.#program.variables.set(argument, variable)
    }
    const body = node.type === 'Lambda' ? [] : node.body
    const decorators = node.type === 'Lambda' ? [] : node.decorator_list.map(dotted)
    const isGenerator = [...expressionsIn(body)].some(({ type }) => type === 'Yield' || type === 'YieldFrom')
    const routine: Routine = {
      node, scope: inner, owner, body, returns: new Type(), yields: new Type(), isAsync: node.type === 'AsyncFunctionDef', isGenerator, decorators,
      isContext: decorators.some((name) => /contextmanager$/.test(name)),
    }
    this.#program.routines.set(node, routine)
    this.#program.scopes.set(node, inner)
    if (!decorators.some((name) => name.endsWith('.setter'))) owner?.methods.set(node.type === 'Lambda' ? '' : node.name, routine)
    if (node.type === 'Lambda') this.#expression(node.body, inner, place)
    else {
      // What the function uses of the scope around it, it uses where it is written.
      for (const statement of everyStatement(body)) this.#declare(statement, inner)
      this.#block(body, { parent: place.block, statement: place.statement, repeats: false, scope: inner }, null)
    }
  }

  #class(node: ClassDef, scope: Scope, place: Place): void {
    for (const value of [...node.decorator_list, ...node.bases]) this.#expression(value, scope, place)
    const variable = this.#occur(scope.find(node.name), node, scope, place, true) ?? scope.own(node.name)
    variable.kind = 'class'
    const inner = new Scope('class', scope)
    const info: ClassInfo = {
      node, scope: inner, variable, bases: [], error: null,
      isDataclass: node.decorator_list.some((decorator) => /(^|\.)dataclass$/.test(dotted(decorator))),
      isEnum: node.bases.some((base) => /(^|\.)Enum$/.test(dotted(base))),
      fields: new Map(), methods: new Map(), statics: new Map(),
    }
    this.#program.classes.set(node, info)
    this.#program.scopes.set(node, inner)
    for (const statement of node.body) this.#declare(statement, inner)
    this.#block(node.body, { parent: place.block, statement: place.statement, repeats: false, scope: inner }, info)
  }
}

/** All parameters of a function, in order: those before the star, the star, those after it. */
export function parametersOf({ args }: FunctionDef | Lambda): Argument[] {
  return [...args.posonlyargs, ...args.args, ...(args.vararg === null ? [] : [args.vararg]), ...args.kwonlyargs, ...(args.kwarg === null ? [] : [args.kwarg])]
}
