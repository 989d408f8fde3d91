// Finds out what the values of a program are, without running it. It goes through the whole program until no type grows any more.
// Every function is looked at with all arguments that any call gives it.
import { API, CONSTANTS, METHODS, PROPERTIES, parseSignature, type CallTypes, type Api } from './api.ts'
import { ERRORS, isErrorName } from './errors.ts'
import { dotted, parametersOf, type ClassInfo, type Program, type Routine, type Variable } from './scopes.ts'
import type {
  AugAssign, BinaryOperator, Call, Comprehension, Expression, For, FunctionDef, Module, Name, Statement, Try, With,
} from './tree.ts'
import { everyExpression, everyStatement, expressionsOf } from './tree.ts'
import { elementsOf, named, plain, Type, union, type Atom, type Kind, type Of } from './types.ts'

const MOST_ROUNDS = 60

export class Inference {
  readonly types = new Map<Expression, Type>()
  readonly program: Program
  readonly #tree: Module
  readonly #made = new Map<object, Map<string, Atom>>()
  #changed = false
  #routine: Routine | null = null
  #owner: ClassInfo | null = null

  constructor(tree: Module, program: Program) {
    this.#tree = tree
    this.program = program
  }

  run(): void {
    for (let round = 0; round < MOST_ROUNDS; round++) {
      this.#changed = false
      this.#block(this.#tree.body)
      if (!this.#changed) return
    }
  }

  typeOf(expression: Expression): Type {
    return this.types.get(expression) ?? new Type()
  }

  grow(type: Type, ...from: Type[]): void {
    for (const other of from) if (other !== type && type.join(asValue(other))) this.#changed = true
  }

  /** The atom that a place makes, the same one in each round. */
  make<A extends Atom>(at: object, kind: string, fresh: () => A): A {
    let made = this.#made.get(at)
    if (made === undefined) this.#made.set(at, made = new Map<string, Atom>())
    let atom = made.get(kind)
    if (atom === undefined) made.set(kind, atom = fresh())
    return atom as A
  }

  list(at: object, elem: Type, kind: 'list' | 'deque' | 'set' | 'iter' | 'stream' = 'list'): Type {
    const atom = this.make(at, kind, () => ({ kind, elem: new Type() }))
    this.grow(atom.elem, elem)
    return new Type(atom)
  }

  tuple(at: object, elems: Type[], isList = false): Type {
    const atom = this.make(at, `tuple ${elems.length}`, () => ({ kind: 'tuple' as const, elems: elems.map(() => new Type()), isList }))
    for (const [i, elem] of elems.entries()) this.grow(atom.elems[i] as Type, elem)
    return new Type(atom)
  }

  dict(at: object, key: Type, value: Type, flavour: 'dict' | 'defaultdict' | 'Counter' = 'dict'): Type {
    const atom = this.make(at, flavour, () => ({ kind: 'dict' as const, key: new Type(), value: new Type(), flavour }))
    this.grow(atom.key, key)
    this.grow(atom.value, value)
    return new Type(atom)
  }

  awaitable(at: object, kind: 'coro' | 'task' | 'future', result: Type, name?: string): Type {
    const atom = this.make(at, kind, () => ({ kind, result: new Type(), ...(name === undefined ? {} : { name }) }))
    this.grow(atom.result, result)
    return new Type(atom)
  }

  /** What awaiting a value gives. */
  awaited(type: Type): Type {
    return union(...type.of('coro', 'task', 'future').map(({ result }) => result), type.has('any') ? new Type('any') : new Type())
  }

  /** What iterating over a value gives. */
  iterated(at: object, type: Type): Type {
    const found = [elementsOf(type, 'list', 'deque', 'set', 'iter', 'stream')]
    for (const atom of type.of('dict')) found.push(atom.key)
    if (type.has('str')) found.push(new Type('str'))
    if (type.has('any')) found.push(new Type('any'))
    for (const atom of type.of('class')) if (atom.cls.isEnum) found.push(new Type(this.instance(atom.cls)))
    for (const atom of type.of('instance')) {
      const direct = this.method(atom.cls, '__aiter__') ?? this.method(atom.cls, '__iter__')
      if (direct !== null) {
        this.#give(direct, 0, new Type(atom))
        const iterator = union(...this.routineResult(direct, at).of('instance', 'stream', 'iter').map((one) => one.kind === 'instance' ? this.#next(one) : one.elem))
        found.push(iterator)
      }
    }
    return union(...found)
  }

  #next(atom: Of<'instance'>): Type {
    const next = this.method(atom.cls, '__anext__') ?? this.method(atom.cls, '__next__')
    if (next === null) return new Type()
    this.#give(next, 0, new Type(atom))
    return next.returns
  }

  instance(cls: ClassInfo): Atom {
    return this.make(cls, 'instance', () => ({ kind: 'instance' as const, cls }))
  }

  method(cls: ClassInfo, name: string): Routine | null {
    return cls.methods.get(name) ?? cls.bases.map((base) => this.method(base, name)).find((found) => found !== null) ?? null
  }

  /** The type of a field, in the class of a chain that has it. */
  field(cls: ClassInfo, name: string): Type | null {
    const own = cls.fields.get(name) ?? cls.statics.get(name)
    if (own !== undefined) return own
    for (const base of cls.bases) {
      const found = this.field(base, name)
      if (found !== null) return found
    }
    return null
  }

  /** Calls every function in `type` with arguments of these types. */
  invoke(at: object, type: Type, args: Type[]): Type {
    const results: Type[] = []
    for (const atom of type.atoms) {
      if (atom.kind === 'routine') results.push(this.#callRoutine(at, atom.routine, atom.self, args, new Map(), []))
      else if (atom.kind === 'partial') results.push(this.invoke(at, atom.of, [...atom.args, ...args]))
      else if (atom.kind === 'class') results.push(this.#instantiate(at, atom.cls, args, new Map(), []))
      else if (atom.kind === 'errorClass') results.push(new Type(named(atom.name, 'error')))
      else if (atom.kind === 'api' || atom.kind === 'method') {
        const api = apiOf(atom)
        if (api !== null) {
          const names = parseSignature(api.signature)
          results.push(api.returns({
            at, infer: this, on: atom.kind === 'method' ? atom.on : null, rest: args.slice(names.positional.length),
            arg: (name) => args[names.positional.indexOf(name)] ?? new Type(), expression: () => null,
          }))
        }
      } else if (atom.kind === 'any') results.push(new Type('any'))
    }
    return union(...results)
  }

  /** What a call of a routine evaluates to. */
  routineResult(routine: Routine, at: object): Type {
    if (routine.decorators.some((name) => /contextmanager$/.test(name))) {
      const atom = this.make(routine, 'context', () => ({ kind: 'context' as const, result: routine.yields, ...(routine.isAsync ? { name: 'async' } : {}) }))
      return new Type(atom)
    }
    if (routine.isGenerator) {
      const kind = routine.isAsync ? 'stream' as const : 'iter' as const
      return new Type(this.make(routine, kind, () => ({ kind, elem: routine.yields })))
    }
    if (routine.isAsync) return new Type(this.make(routine, 'coro', () => ({ kind: 'coro' as const, result: routine.returns })))
    void at
    return routine.returns
  }

  #give(routine: Routine, index: number, type: Type): void {
    const parameter = parametersOf(routine.node)[index]
    const variable = parameter === undefined ? undefined : this.program.variables.get(parameter)
    if (variable !== undefined) this.grow(variable.type, type)
  }

  #callRoutine(at: object, routine: Routine, self: Atom | null, args: Type[], keywords: Map<string, Type>, spread: Type[]): Type {
    const { args: shape } = routine.node
    const positional = [...shape.posonlyargs, ...shape.args]
    const given = self === null ? args : [new Type(self), ...args]
    const variable = (name: string): Variable | undefined => routine.scope.variables.get(name)
    for (const [i, type] of given.entries()) {
      const parameter = positional[i]
      if (parameter !== undefined) this.grow(variable(parameter.arg)?.type ?? new Type(), type)
      else if (shape.vararg !== null) this.#extra(routine, type, i - positional.length)
    }
    for (const type of spread) {
      for (const parameter of positional.slice(given.length)) this.grow(variable(parameter.arg)?.type ?? new Type(), type)
      if (shape.vararg !== null) this.#extra(routine, type, Math.max(0, given.length - positional.length))
    }
    for (const [name, type] of keywords) this.grow(variable(name)?.type ?? new Type(), type)
    return this.routineResult(routine, at)
  }

  /** An argument beyond the parameters: `*args` knows what comes at each place. */
  #extra(routine: Routine, type: Type, place: number): void {
    const { elems } = this.#varargs(routine)
    while (elems.length <= place) {
      elems.push(new Type())
      this.#changed = true
    }
    this.grow(elems[place] as Type, type)
  }

  #varargs(routine: Routine): Of<'tuple'> {
    return this.make(routine.node.args, 'tuple', () => ({ kind: 'tuple' as const, elems: [] as Type[], isList: false, isRest: true as const }))
  }

  #instantiate(at: object, cls: ClassInfo, args: Type[], keywords: Map<string, Type>, spread: Type[]): Type {
    const instance = this.instance(cls)
    const init = this.method(cls, '__init__')
    if (init !== null) this.#callRoutine(at, init, instance, args, keywords, spread)
    else if (cls.isDataclass) {
      const names = dataFields(cls).map(({ name }) => name)
      for (const [i, type] of args.entries()) this.grow(this.field(cls, names[i] ?? '') ?? new Type(), type)
      for (const [name, type] of keywords) this.grow(this.field(cls, name) ?? new Type(), type)
    }
    const post = this.method(cls, '__post_init__')
    if (post !== null) this.#give(post, 0, new Type(instance))
    return new Type(instance)
  }

  // Statements

  #block(body: readonly Statement[]): void {
    for (const statement of body) this.#statement(statement)
  }

  #statement(statement: Statement): void {
    switch (statement.type) {
      case 'FunctionDef': case 'AsyncFunctionDef': this.#define(statement); return
      case 'ClassDef': this.#class(this.program.classes.get(statement) as ClassInfo); return
      case 'Return': if (this.#routine !== null) this.grow(this.#routine.returns, statement.value === null ? new Type(returnsValue(nodeBody(this.#routine)) ? 'none' : 'void') : this.expression(statement.value)); return
      case 'Assign': {
        const value = this.expression(statement.value)
        for (const target of statement.targets) this.assign(target, value)
        return
      }
      case 'AugAssign': this.#augmented(statement); return
      case 'AnnAssign': {
        const annotated = this.annotation(statement.annotation)
        const value = statement.value === null ? null : this.expression(statement.value)
        this.#annotate(value, annotated)
        this.assign(statement.target, value ?? annotated)
        return
      }
      case 'For': case 'AsyncFor': this.#for(statement); return
      case 'While': this.expression(statement.test); this.#block(statement.body); this.#block(statement.orelse); return
      case 'If':
        this.expression(statement.test)
        this.#narrowed(statement.test, () => this.#block(statement.body))
        this.#block(statement.orelse)
        return
      case 'With': case 'AsyncWith': this.#with(statement); return
      case 'Try': case 'TryStar': this.#try(statement); return
      case 'Raise': if (statement.exc !== null) this.expression(statement.exc); if (statement.cause !== null) this.expression(statement.cause); return
      case 'Assert': this.expression(statement.test); if (statement.msg !== null) this.expression(statement.msg); return
      case 'Delete': statement.targets.forEach((target) => this.expression(target)); return
      case 'Expr': this.expression(statement.value); return
      case 'Import':
        for (const alias of statement.names) {
          const variable = this.program.variables.get(alias)
          if (variable?.type.join(new Type(named(alias.asname === null ? alias.name.split('.')[0] as string : alias.name, 'module'))) === true) this.#changed = true
        }
        return
      case 'ImportFrom':
        for (const alias of statement.names) {
          const variable = this.program.variables.get(alias)
          if (variable !== undefined) this.grow(variable.type, this.#member(statement.module ?? '', alias.name))
        }
        return
      default:
    }
  }

  /** What a variable is where an `isinstance` of it is true. */
  readonly #narrow = new Map<Variable, Type>()

  #narrowed<T>(test: Expression, inside: () => T): T {
    const tests = test.type === 'BoolOp' && test.op === 'And' ? test.values : [test]
    const added: Variable[] = []
    for (const one of tests) {
      if (one.type !== 'Call' || dotted(one.func) !== 'isinstance' || one.args[0]?.type !== 'Name' || one.args[1] === undefined) continue
      const variable = this.program.variables.get(one.args[0])
      const type = this.#instances(one.args[1])
      if (variable === undefined || type.atoms.size === 0 || this.#narrow.has(variable)) continue
      // What is known about the variable is more exact than the class, if it has to do with it.
      const known = new Type(...[...variable.type.atoms].filter((atom) => [...type.atoms].some((wanted) => wanted === atom || (wanted.kind !== 'error' && wanted.kind !== 'instance' && wanted.kind === atom.kind))))
      this.#narrow.set(variable, known.atoms.size > 0 ? known : type)
      added.push(variable)
    }
    const result = inside()
    for (const variable of added) this.#narrow.delete(variable)
    return result
  }

  /** The values of which `isinstance` with these classes is true. */
  #instances(classes: Expression): Type {
    if (classes.type === 'Tuple') return union(...classes.elts.map((one) => this.#instances(one)))
    const name = dotted(classes)
    const kinds: Record<string, Kind[]> = { int: ['nat', 'int'], float: ['float', 'fraction'], str: ['str'], bool: ['bool'] }
    if (name in kinds && this.program.variables.get(classes) === undefined) return new Type(...(kinds[name] ?? []).map((kind) => plain(kind as 'nat')))
    const containers: Record<string, Kind> = { list: 'list', dict: 'dict', set: 'set', tuple: 'tuple' }
    if (name in containers) return new Type({ kind: containers[name] } as Atom)
    return this.caught(classes)
  }

  #moduleOf(name: Name): string | null {
    const variable = this.program.variables.get(name)
    return variable !== undefined && variable.type.only('module') ? this.program.imports.get(variable) ?? null : null
  }

  /** What an attribute of a module is. */
  #member(module: string, name: string): Type {
    const path = `${module}.${name}`
    if ((module === 'asyncio' || module === 'asyncio.exceptions') && isErrorName(name)) return new Type(named(ERRORS[name]?.python ?? name, 'errorClass'))
    const constant = CONSTANTS[path]
    return constant === undefined ? new Type(named(path, 'api')) : new Type(constant.type)
  }

  #define(node: FunctionDef): void {
    const routine = this.program.routines.get(node) as Routine
    this.#parameters(routine)
    const [outerRoutine, outerOwner] = [this.#routine, this.#owner]
    this.#routine = routine
    this.#owner = routine.owner ?? outerOwner
    this.#block(node.body)
    this.#routine = outerRoutine
    this.#owner = outerOwner
    if (fallsThrough(node.body)) {
      // A function that never returns a value gives undefined in TypeScript.
      this.grow(routine.returns, new Type(returnsValue(node.body) ? 'none' : 'void'))
    }
    if (routine.returns.atoms.size === 0 && node.returns !== null && !routine.isGenerator) this.grow(routine.returns, this.annotation(node.returns))
    const variable = this.program.variables.get(node)
    if (variable === undefined) return
    let value = new Type(this.make(node, 'routine', () => ({ kind: 'routine' as const, routine, self: null })))
    for (const decorator of [...node.decorator_list].reverse()) {
      if (/^(dataclass|.*contextmanager|staticmethod|classmethod|property|functools\.wraps|wraps|override|abstractmethod|abc\.abstractmethod|.*\.setter)$/.test(dotted(decorator))) continue
      const type = this.expression(decorator)
      const wrapped = this.invoke(decorator, type, [value])
      // A wrapper that passes everything on is called like the function itself.
      if (!wrapped.only('routine') || !wrapped.of('routine').every((atom) => passesOn(atom.routine))) value = wrapped
    }
    this.grow(variable.type, value)
  }

  #parameters({ node, owner, decorators, scope }: Routine): void {
    const { args } = node
    const positional = [...args.posonlyargs, ...args.args]
    const variable = (name: string): Variable => scope.own(name)
    for (const [i, value] of args.defaults.entries()) {
      const parameter = positional[positional.length - args.defaults.length + i]
      if (parameter !== undefined) this.grow(variable(parameter.arg).type, this.expression(value))
    }
    for (const [i, value] of args.kw_defaults.entries()) {
      const parameter = args.kwonlyargs[i]
      if (value !== null && parameter !== undefined) this.grow(variable(parameter.arg).type, this.expression(value))
    }
    const [first] = positional
    if (owner !== null && first !== undefined && !decorators.includes('staticmethod')) {
      this.grow(variable(first.arg).type, new Type(decorators.includes('classmethod')
        ? this.make(owner, 'class', () => ({ kind: 'class' as const, cls: owner })) : this.instance(owner)))
    }
    for (const parameter of [...positional, ...args.kwonlyargs]) {
      const { type } = variable(parameter.arg)
      if (parameter.annotation === null) continue
      const annotated = this.annotation(parameter.annotation)
      if (type.without('none').atoms.size === 0) this.grow(type, annotated)
      else this.#annotate(type, annotated)
    }
    if (args.vararg !== null) this.grow(variable(args.vararg.arg).type, new Type(this.#varargs(this.#routineOf(node))))
    if (args.kwarg !== null) this.grow(variable(args.kwarg.arg).type, this.dict(args, new Type('str'), new Type()))
  }

  #routineOf(node: object): Routine {
    return this.program.routines.get(node) as Routine
  }

  #class(cls: ClassInfo): void {
    const { node, variable } = cls
    for (const base of node.bases) {
      for (const atom of this.expression(base).atoms) {
        if (atom.kind === 'class') {
          if (!cls.bases.includes(atom.cls)) { cls.bases.push(atom.cls); this.#changed = true }
          cls.error ??= atom.cls.error
        } else if (atom.kind === 'errorClass') cls.error ??= atom.name
      }
    }
    this.grow(variable.type, new Type(this.make(cls, 'class', () => ({ kind: 'class' as const, cls }))))
    const outer = this.#owner
    this.#owner = cls
    for (const statement of node.body) {
      const target = statement.type === 'AnnAssign' ? statement.target : statement.type === 'Assign' ? statement.targets[0] : undefined
      if ((statement.type === 'AnnAssign' || statement.type === 'Assign') && target?.type === 'Name') {
        const { value } = statement
        const field = cls.isDataclass && statement.type === 'AnnAssign'
        const types = field ? cls.fields : cls.statics
        let type = types.get(target.id)
        if (type === undefined) types.set(target.id, type = new Type())
        const given = value === null ? null : this.expression(value)
        if (cls.isEnum) this.grow(type, new Type(this.instance(cls)))
        else {
          if (statement.type === 'AnnAssign') {
            const annotated = this.annotation(statement.annotation)
            this.#annotate(given, annotated)
            // A field that gets no value here is what its annotation says.
            if (field && annotated.only('list', 'dict', 'set', 'deque', 'queue')) this.grow(type, given ?? annotated)
            else if (field && type.without('none').atoms.size === 0) this.grow(type, annotated)
          }
          if (given !== null) this.grow(type, given)
        }
        if (given !== null && cls.isEnum) this.make(cls, 'values', () => ({ kind: 'list' as const, elem: new Type() })).elem.join(given)
      } else this.#statement(statement)
    }
    this.#owner = outer
  }

  /** The values of an Enum's members. */
  enumValues(cls: ClassInfo): Type {
    return this.make(cls, 'values', () => ({ kind: 'list' as const, elem: new Type() })).elem
  }

  /** Fills the empty containers of `type` from an annotation. */
  #annotate(type: Type | null, annotated: Type): void {
    if (type === null) return
    for (const atom of type.atoms) {
      for (const wanted of annotated.atoms) {
        if ('elem' in atom && 'elem' in wanted && atom.kind === wanted.kind) {
          if (atom.elem.atoms.size === 0) this.grow(atom.elem, wanted.elem)
          else this.#annotate(atom.elem, wanted.elem)
        }
        if (atom.kind === 'dict' && wanted.kind === 'dict') {
          if (atom.key.atoms.size === 0) this.grow(atom.key, wanted.key)
          if (atom.value.atoms.size === 0) this.grow(atom.value, wanted.value)
        }
      }
    }
  }

  #augmented({ target, op, value }: AugAssign): void {
    const left = this.expression(target)
    const right = this.expression(value)
    if (op === 'Add' && left.has('list', 'deque')) {
      for (const atom of left.of('list', 'deque')) this.grow(atom.elem, this.iterated(value, right))
      return
    }
    this.assign(target, this.binary(target, op, left, right))
  }

  #for({ type, target, iter, body, orelse }: For): void {
    void type
    this.assign(target, this.iterated(iter, this.expression(iter)))
    this.#block(body)
    this.#block(orelse)
  }

  #with({ items, body }: With): void {
    for (const { context_expr: value, optional_vars: variable } of items) {
      const type = this.expression(value)
      if (variable === null) {
        this.entered(value, type)
        continue
      }
      this.assign(variable, this.entered(value, type))
    }
    this.#block(body)
  }

  /** What `with … as` gives. */
  entered(at: Expression, type: Type): Type {
    const found: Type[] = []
    for (const atom of type.atoms) {
      if (atom.kind === 'context') found.push(atom.result)
      else if (atom.kind === 'object' && ['TaskGroup', 'Timeout', 'Runner'].includes(atom.name)) found.push(new Type(atom))
      else if (atom.kind === 'object' && atom.name === 'Barrier') found.push(new Type('nat'))
      else if (atom.kind === 'object') found.push(new Type('none'))
      else if (atom.kind === 'instance') {
        const enter = this.method(atom.cls, '__aenter__') ?? this.method(atom.cls, '__enter__')
        if (enter !== null) {
          this.#give(enter, 0, new Type(atom))
          found.push(enter.returns)
        }
        const exit = this.method(atom.cls, '__aexit__') ?? this.method(atom.cls, '__exit__')
        if (exit !== null) this.#give(exit, 0, new Type(atom))
      }
    }
    void at
    return union(...found)
  }

  #try({ type, body, handlers, orelse, finalbody }: Try): void {
    this.#block(body)
    for (const handler of handlers) {
      const caught = handler.of === null ? new Type() : this.caught(handler.of)
      const variable = this.program.variables.get(handler)
      if (variable !== undefined) this.grow(variable.type, type === 'TryStar' ? new Type(named('ExceptionGroup', 'error')) : caught)
      this.#block(handler.body)
    }
    this.#block(orelse)
    this.#block(finalbody)
  }

  /** What an `except` clause with these classes catches. */
  caught(classes: Expression): Type {
    const type = this.expression(classes)
    const all = classes.type === 'Tuple' ? union(...classes.elts.map((elt) => this.typeOf(elt))) : type
    const flat = union(all, ...all.of('tuple').flatMap(({ elems }) => elems))
    return union(...[...flat.atoms].map((atom) => atom.kind === 'class' ? new Type(this.instance(atom.cls)) : atom.kind === 'errorClass' ? new Type(named(atom.name, 'error')) : new Type()))
  }

  assign(target: Expression, value: Type): void {
    switch (target.type) {
      case 'Name': {
        const variable = this.program.variables.get(target)
        if (variable !== undefined) this.grow(variable.type, value)
        this.#note(target, value)
        return
      }
      case 'Tuple': case 'List':
        for (const [i, elt] of target.elts.entries()) {
          const star = target.elts.findIndex(({ type }) => type === 'Starred')
          if (elt.type === 'Starred') this.assign(elt.value, this.list(elt, this.iterated(target, value)))
          // What comes after a star is counted from the end.
          else this.assign(elt, this.#position(target, value, star >= 0 && i > star ? i - target.elts.length : i))
        }
        return
      case 'Attribute':
        for (const atom of this.expression(target.value).atoms) {
          if (atom.kind === 'instance') {
            let type = this.field(atom.cls, target.attr)
            if (type === null) atom.cls.fields.set(target.attr, type = new Type())
            this.grow(type, value)
          } else if (atom.kind === 'class') this.grow(this.field(atom.cls, target.attr) ?? new Type(), value)
        }
        this.#note(target, value)
        return
      case 'Subscript': {
        const on = this.expression(target.value)
        const key = this.expression(target.slice)
        for (const atom of on.atoms) {
          if (atom.kind === 'dict') {
            this.grow(atom.key, key)
            this.grow(atom.value, value)
          } else if (atom.kind === 'list' || atom.kind === 'deque') {
            this.grow(atom.elem, target.slice.type === 'Slice' ? this.iterated(target, value) : value)
          }
        }
        this.#note(target, value)
        return
      }
      case 'Starred': this.assign(target.value, value); return
      default:
    }
  }

  #position(at: object, value: Type, index: number): Type {
    const tuples = value.of('tuple').map(({ elems }) => elems.at(index) ?? new Type())
    return union(...tuples, this.iterated(at, value.without('tuple')))
  }

  #note(expression: Expression, type: Type): void {
    let noted = this.types.get(expression)
    if (noted === undefined) this.types.set(expression, noted = new Type())
    this.grow(noted, type)
  }

  // Expressions

  expression(expression: Expression): Type {
    const type = this.#evaluate(expression)
    let noted = this.types.get(expression)
    if (noted === undefined) this.types.set(expression, noted = new Type())
    this.grow(noted, type)
    return noted
  }

  #evaluate(node: Expression): Type {
    switch (node.type) {
      case 'Constant': return constant(node.kind, node.value)
      case 'Name': return this.#name(node)
      case 'Attribute': {
        const on = this.expression(node.value)
        if (node.attr === '__name__') return new Type('str')
        const module = node.value.type === 'Name' ? this.#moduleOf(node.value) : null
        if (module !== null) return this.#member(module, node.attr)
        return union(...[...on.atoms].map((atom) => this.attribute(node, atom, node.attr)))
      }
      case 'Subscript': return this.#subscript(node)
      case 'Slice': for (const part of [node.lower, node.upper, node.step]) if (part !== null) this.expression(part); return new Type()
      case 'Call': return this.#call(node)
      case 'BinOp': return this.binary(node, node.op, this.expression(node.left), this.expression(node.right))
      case 'BoolOp': return union(...node.values.map((value, i) => {
        const type = this.expression(value)
        // What is left of `or` goes on only if it counts as true.
        return node.op === 'Or' && i < node.values.length - 1 ? type.without('none') : type
      }))
      case 'UnaryOp': {
        const operand = this.expression(node.operand)
        if (node.op === 'Not') return new Type('bool')
        return node.op === 'USub' && operand.has('nat', 'bool') ? union(operand.without('nat', 'bool'), new Type('int')) : node.op === 'Invert' ? new Type('int') : operand
      }
      case 'Compare': this.expression(node.left); node.comparators.forEach((value) => this.expression(value)); return new Type('bool')
      case 'IfExp': this.expression(node.test); return union(this.#narrowed(node.test, () => this.expression(node.body)), this.expression(node.orelse))
      case 'Lambda': {
        const routine = this.program.routines.get(node) as Routine
        this.#parameters(routine)
        this.grow(routine.returns, this.expression(node.body))
        return new Type(this.make(node, 'routine', () => ({ kind: 'routine' as const, routine, self: null })))
      }
      case 'List': case 'Set': return this.list(node, union(...node.elts.map((elt) => elt.type === 'Starred' ? this.iterated(elt, this.expression(elt.value)) : this.expression(elt))), node.type === 'Set' ? 'set' : 'list')
      case 'Tuple':
        if (node.elts.some(({ type }) => type === 'Starred')) return this.list(node, union(...node.elts.map((elt) => elt.type === 'Starred' ? this.iterated(elt, this.expression(elt.value)) : this.expression(elt))))
        return this.tuple(node, node.elts.map((elt) => this.expression(elt)))
      case 'Dict': {
        const keys = node.keys.map((key, i) => key === null ? union(...this.expression(node.values[i] as Expression).of('dict').map((atom) => atom.key)) : this.expression(key))
        const values = node.values.map((value, i) => node.keys[i] === null ? union(...this.expression(value).of('dict').map((atom) => atom.value)) : this.expression(value))
        return this.dict(node, union(...keys), union(...values))
      }
      case 'ListComp': case 'SetComp': case 'GeneratorExp':
        node.generators.forEach((generator) => this.#generator(generator))
        return this.list(node, this.expression(node.elt), node.type === 'ListComp' ? 'list' : node.type === 'SetComp' ? 'set' : 'iter')
      case 'DictComp':
        node.generators.forEach((generator) => this.#generator(generator))
        return this.dict(node, this.expression(node.key), this.expression(node.value))
      case 'JoinedStr': node.values.forEach((value) => this.expression(value)); return new Type('str')
      case 'FormattedValue': this.expression(node.value); if (node.format_spec !== null) this.expression(node.format_spec); return new Type('str')
      case 'Await': return this.awaited(this.expression(node.value))
      case 'Yield': if (this.#routine !== null) this.grow(this.#routine.yields, node.value === null ? new Type('none') : this.expression(node.value)); return new Type('none')
      case 'YieldFrom': if (this.#routine !== null) this.grow(this.#routine.yields, this.iterated(node, this.expression(node.value))); return new Type('none')
      case 'Starred': return this.expression(node.value)
      case 'NamedExpr': {
        const value = this.expression(node.value)
        this.assign(node.target, value)
        return value
      }
    }
  }

  #generator({ target, iter, ifs }: Comprehension): void {
    this.assign(target, this.iterated(iter, this.expression(iter)))
    for (const test of ifs) this.expression(test)
  }

  #name(node: Expression & { type: 'Name' }): Type {
    const variable = this.program.variables.get(node)
    if (variable !== undefined) return this.#narrow.get(variable) ?? variable.type
    if (node.id === '__name__') return new Type('str')
    if (isErrorName(node.id)) return new Type(named(ERRORS[node.id]?.python ?? node.id, 'errorClass'))
    return `builtins.${node.id}` in API ? new Type(named(`builtins.${node.id}`, 'api')) : new Type()
  }

  attribute(at: object, atom: Atom, name: string): Type {
    if (atom.kind === 'module') return this.#member(atom.name, name)
    if (atom.kind === 'any') return new Type('any')
    if (atom.kind === 'api') {
      const deeper = `${atom.name}.${name}`
      return deeper in API ? new Type(named(deeper, 'api')) : new Type()
    }
    if (atom.kind === 'super') {
      for (const base of atom.cls.bases) {
        const routine = this.method(base, name)
        if (routine !== null) return new Type(this.make(at, `super ${base.node.name}`, () => ({ kind: 'routine' as const, routine, self: this.instance(atom.cls) })))
      }
      return new Type()
    }
    if (atom.kind === 'instance' || atom.kind === 'class') {
      const { cls } = atom
      if (cls.isEnum && atom.kind === 'instance') {
        if (name === 'value') return this.enumValues(cls)
        if (name === 'name') return new Type('str')
      }
      const field = this.field(cls, name)
      const routine = this.method(cls, name)
      if (routine !== null) {
        if (routine.decorators.includes('property')) {
          this.#give(routine, 0, new Type(atom))
          return routine.returns
        }
        const isStatic = routine.decorators.includes('staticmethod')
        const self = isStatic || (atom.kind === 'class' && !routine.decorators.includes('classmethod')) ? null
          : routine.decorators.includes('classmethod') ? this.make(cls, 'class', () => ({ kind: 'class' as const, cls })) : atom
        return new Type(this.make(routine, `bound ${self === null ? '' : cls.node.name}`, () => ({ kind: 'routine' as const, routine, self })))
      }
      if (field !== null) return field
      if (cls.error !== null && name === 'args') return new Type()
      return new Type()
    }
    const property = PROPERTIES[keyOf(atom)]?.[name] ?? PROPERTIES[atom.kind]?.[name]
    if (property !== undefined) return property(atom, this, at)
    if (methodOf(atom, name) !== null) return new Type(this.make(atom, `method ${name}`, () => ({ kind: 'method' as const, on: atom, name })))
    return new Type()
  }

  #subscript(node: Expression & { type: 'Subscript' }): Type {
    const on = this.expression(node.value)
    const key = this.expression(node.slice)
    const found: Type[] = []
    for (const atom of on.atoms) {
      if (node.slice.type === 'Slice') {
        if (atom.kind === 'tuple') found.push(this.list(node, union(...atom.elems)))
        else if (atom.kind === 'list') found.push(this.list(node, atom.elem))
        else found.push(new Type(atom))
      } else if (atom.kind === 'tuple') {
        const at = node.slice.type === 'Constant' && node.slice.kind === 'int' ? Number(node.slice.value)
          : node.slice.type === 'UnaryOp' && node.slice.operand.type === 'Constant' ? -Number(node.slice.operand.value) : null
        found.push(at === null ? union(...atom.elems) : atom.elems.at(at) ?? new Type())
      } else if (atom.kind === 'list' || atom.kind === 'deque') found.push(atom.elem)
      else if (atom.kind === 'dict') {
        if (atom.flavour === 'defaultdict') this.grow(atom.key, key)
        found.push(atom.flavour === 'Counter' ? new Type('int') : atom.value)
      } else if (atom.kind === 'str') found.push(new Type('str'))
      else if (atom.kind === 'any') found.push(new Type('any'))
      else if (atom.kind === 'class' && atom.cls.isEnum) found.push(new Type(this.instance(atom.cls)))
      // `Queue[int]()`: a type argument changes nothing.
      else if (atom.kind === 'api' || atom.kind === 'class') found.push(new Type(atom))
    }
    return union(...found)
  }

  #call(node: Call): Type {
    const positional: Type[] = []
    const spread: Type[] = []
    const func = this.expression(node.func)
    for (const arg of node.args) {
      const type = this.expression(arg)
      if (arg.type === 'Starred') {
        const tuples = type.of('tuple')
        if (tuples.length > 0 && type.only('tuple') && tuples.every(({ elems }) => elems.length === tuples[0]?.elems.length)) {
          for (const [i] of (tuples[0] as Of<'tuple'>).elems.entries()) positional.push(union(...tuples.map(({ elems }) => elems[i] as Type)))
        } else spread.push(this.iterated(arg, type))
      } else if (spread.length > 0) spread.push(type)
      else positional.push(type)
    }
    const keywords = new Map<string, Type>()
    for (const { arg, value } of node.keywords) {
      const type = this.expression(value)
      if (arg !== null) keywords.set(arg, type)
    }
    if (node.func.type === 'Name' && node.func.id === 'super' && this.#owner !== null) {
      const owner = this.#owner
      return new Type(this.make(owner, 'super', () => ({ kind: 'super' as const, cls: owner })))
    }
    const results: Type[] = []
    const passed = node.args.some((arg) => arg.type === 'Starred' && arg.value.type === 'Name' && this.#routine !== null && passesOn(this.#routine) && this.#routine.node.args.vararg?.arg === arg.value.id)
    for (const atom of func.atoms) {
      switch (atom.kind) {
        case 'routine':
          if (node.func.type === 'Name' && spread.length + positional.length > 0 && node.args.some(({ type }) => type === 'Starred')) this.program.spread.add(this.program.variables.get(node.func) as Variable)
          if (passed) {
            // What it passes on, its callers give to the function itself.
            results.push(this.routineResult(atom.routine, node))
            break
          }
          results.push(this.#callRoutine(node, atom.routine, atom.self, positional, keywords, spread)); break
        case 'partial': {
          const bound = atom.args
          for (const inner of atom.of.of('routine')) this.#callRoutine(node, inner.routine, inner.self, [...bound, ...positional], keywords, spread)
          results.push(this.invoke(node, atom.of, [...bound, ...positional]))
          break
        }
        case 'class': results.push(this.#instantiate(node, atom.cls, positional, keywords, spread)); break
        case 'errorClass': results.push(new Type(named(atom.name, 'error'))); break
        case 'api': case 'method': {
          const api = apiOf(atom)
          if (api !== null) results.push(api.returns(this.#callTypes(node, api, atom.kind === 'method' ? atom.on : null, positional, keywords, spread)))
          break
        }
        case 'any': results.push(new Type('any')); break
        default:
      }
    }
    return union(...results)
  }

  #callTypes(node: Call, api: Api, on: Atom | null, positional: Type[], keywords: Map<string, Type>, spread: Type[]): CallTypes {
    const names = parseSignature(api.signature)
    return {
      at: node, infer: this, on, rest: [...positional.slice(names.positional.length), ...spread],
      arg: (name) => keywords.get(name) ?? positional[names.positional.indexOf(name)] ?? new Type(),
      expression: (name) => node.keywords.find(({ arg }) => arg === name)?.value ?? node.args[names.positional.indexOf(name)] ?? null,
    }
  }

  binary(at: object, op: BinaryOperator, left: Type, right: Type): Type {
    const found = new Type()
    if (left.has('any') || right.has('any')) found.join(new Type('any'))
    const numeric = ['nat', 'int', 'fraction', 'float', 'bool'] as const
    if (left.has(...numeric) && right.has(...numeric)) {
      const float = left.has('float', 'fraction') || right.has('float', 'fraction')
      const whole = left.has('nat', 'int', 'bool') && right.has('nat', 'int', 'bool')
      if (op === 'Div') found.join(new Type('float'))
      else {
        if (float) found.join(new Type('float'))
        if (whole) {
          const natural = left.without('float', 'fraction').only('nat', 'bool') && right.without('float', 'fraction').only('nat', 'bool') && op !== 'Sub'
          found.join(new Type(natural || (op === 'Mod' && right.only('nat')) ? 'nat' : 'int'))
        }
      }
    }
    if (left.has('str')) found.join(new Type('str'))
    if (right.has('str') && op === 'Mult') found.join(new Type('str'))
    if (op === 'Mult' && left.has('list')) found.join(this.list(at, elementsOf(left, 'list')))
    if (op === 'Add' && left.has('list') && right.has('list')) found.join(this.list(at, union(elementsOf(left, 'list'), elementsOf(right, 'list'))))
    if (op === 'Add' && left.has('tuple') && right.has('tuple')) {
      for (const a of left.of('tuple')) for (const b of right.of('tuple')) found.join(this.tuple(at, [...a.elems, ...b.elems]))
    }
    if (left.has('set') && right.has('set')) found.join(this.list(at, union(elementsOf(left, 'set'), elementsOf(right, 'set')), 'set'))
    if (op === 'BitOr' && left.has('dict') && right.has('dict')) {
      const dicts = [...left.of('dict'), ...right.of('dict')]
      found.join(this.dict(at, union(...dicts.map(({ key }) => key)), union(...dicts.map(({ value }) => value))))
    }
    return found
  }

  /** The type that an annotation names; nothing if it is not understood. */
  annotation(node: Expression): Type {
    if (node.type === 'Constant') return node.kind === 'none' ? new Type('none') : new Type()
    if (node.type === 'BinOp' && node.op === 'BitOr') return union(this.annotation(node.left), this.annotation(node.right))
    if (node.type === 'Subscript') {
      const name = dotted(node.value).replace(/^(typing|collections|asyncio|collections\.abc)\./, '')
      const args = node.slice.type === 'Tuple' ? node.slice.elts : [node.slice]
      const arg = (i: number): Type => args[i] === undefined ? new Type() : this.annotation(args[i])
      switch (name) {
        case 'Optional': return union(arg(0), new Type('none'))
        case 'Union': return union(...args.map((_, i) => arg(i)))
        case 'list': case 'List': return this.list(node, arg(0))
        case 'deque': case 'Deque': return this.list(node, arg(0), 'deque')
        case 'set': case 'Set': return this.list(node, arg(0), 'set')
        case 'dict': case 'Dict': case 'defaultdict': return this.dict(node, arg(0), arg(1))
        case 'tuple': case 'Tuple': return this.tuple(node, args.map((_, i) => arg(i)))
        case 'Queue': case 'PriorityQueue': case 'LifoQueue': {
          const atom = this.make(node, 'queue', () => ({ kind: 'queue' as const, elem: new Type(), name }))
          this.grow(atom.elem, arg(0))
          return new Type(atom)
        }
        case 'Task': return this.awaitable(node, 'task', arg(0))
        case 'Future': return this.awaitable(node, 'future', arg(0))
        case 'Awaitable': return this.awaitable(node, 'coro', arg(0))
        default: return new Type()
      }
    }
    const name = dotted(node)
    switch (name) {
      case 'int': return new Type('int')
      case 'float': return new Type('float')
      case 'str': return new Type('str')
      case 'bool': return new Type('bool')
      case 'bytes': return new Type('bytes')
      case 'list': return this.list(node, new Type())
      case 'dict': return this.dict(node, new Type(), new Type())
      case 'set': return this.list(node, new Type(), 'set')
      case 'asyncio.Task': return this.awaitable(node, 'task', new Type())
      case 'asyncio.Future': return this.awaitable(node, 'future', new Type())
      case 'asyncio.Queue': return new Type(this.make(node, 'queue', () => ({ kind: 'queue' as const, elem: new Type(), name: 'Queue' })))
      default:
    }
    if (/^asyncio\.(Lock|Event|Semaphore|BoundedSemaphore|Condition|Barrier|TaskGroup|Timeout)$/.test(name)) return new Type(named(name.slice(8), 'object'))
    const found = this.expression(node)
    return union(...[...found.atoms].map((atom) => atom.kind === 'class' ? new Type(this.instance(atom.cls)) : atom.kind === 'errorClass' ? new Type(named(atom.name, 'error')) : new Type()))
  }
}

/** The key of an atom in the tables of methods and properties. */
export function keyOf(atom: Atom): string {
  if (atom.kind === 'object') return atom.name
  return atom.kind === 'dict' && atom.flavour === 'Counter' ? 'Counter' : atom.kind
}

export function methodOf(atom: Atom, name: string): Api | null {
  return METHODS[keyOf(atom)]?.[name] ?? METHODS[atom.kind]?.[name] ?? (atom.kind === 'task' ? METHODS['future']?.[name] : undefined) ?? null
}

export function apiOf(atom: Atom): Api | null {
  if (atom.kind === 'api') return API[atom.name] ?? null
  return atom.kind === 'method' ? methodOf(atom.on, atom.name) : null
}

function constant(kind: string, value: string | boolean | null): Type {
  switch (kind) {
    case 'int': return new Type('nat')
    case 'float': return new Type(/^\d+\.\d*[1-9]$/.test(String(value)) ? 'fraction' : 'float')
    case 'str': return new Type('str')
    case 'bool': return new Type('bool')
    case 'none': return new Type('none')
    case 'bytes': return new Type('bytes')
    default: return new Type()
  }
}

/** The fields of a dataclass in the order of its constructor, those of its bases first. */
export function dataFields(cls: ClassInfo): { name: string; value: Expression | null }[] {
  const own = cls.node.body.flatMap((statement) => statement.type === 'AnnAssign' && statement.target.type === 'Name' && !/ClassVar/.test(dotted(statement.annotation))
    ? [{ name: statement.target.id, value: statement.value }] : [])
  return [...cls.bases.flatMap(dataFields), ...own]
}

/** Whether a function takes anything, and calls another with just that. */
export function passesOn({ node }: Routine): boolean {
  const { args } = node
  if (node.type === 'Lambda' || args.vararg === null || args.args.length + args.kwonlyargs.length > 0) return false
  const name = args.vararg.arg
  for (const statement of everyStatement(node.body)) {
    for (const expression of expressionsOf(statement)) {
      for (const inner of everyExpression(expression)) {
        if (inner.type === 'Call' && inner.func.type === 'Name' && inner.args.length === 1 && inner.args[0]?.type === 'Starred' && inner.args[0].value.type === 'Name' && inner.args[0].value.id === name) return true
      }
    }
  }
  return false
}

/** A module that is passed around: `random` is the one that can be. */
function asValue(type: Type): Type {
  const module = type.of('module').find(({ name }) => name === 'random')
  return module === undefined ? type : union(type.without('module'), new Type(named('Random', 'object')))
}

function nodeBody({ node }: Routine): readonly Statement[] {
  return node.type === 'Lambda' ? [] : node.body
}

/** Whether a function returns a value anywhere, None included. */
export function returnsValue(body: readonly Statement[]): boolean {
  for (const statement of everyStatement(body)) if (statement.type === 'Return' && statement.value !== null) return true
  return false
}

/** Whether control can come to the end of a block. */
export function fallsThrough(body: readonly Statement[]): boolean {
  return !body.some(ends)
}

function ends(statement: Statement): boolean {
  switch (statement.type) {
    case 'Return': case 'Raise': case 'Continue': case 'Break': return true
    case 'If': return statement.orelse.length > 0 && !fallsThrough(statement.body) && !fallsThrough(statement.orelse)
    case 'While': return statement.test.type === 'Constant' && statement.test.value !== false && statement.test.value !== '0' && !breaks(statement.body)
    case 'With': case 'AsyncWith': return !fallsThrough(statement.body)
    case 'Try': case 'TryStar':
      if (statement.finalbody.length > 0 && !fallsThrough(statement.finalbody)) return true
      return (!fallsThrough(statement.body) || (statement.orelse.length > 0 && !fallsThrough(statement.orelse))) && statement.handlers.every((handler) => !fallsThrough(handler.body))
    default: return false
  }
}

/** Whether a `break` in a loop's body leaves that loop. */
export function breaks(body: readonly Statement[]): boolean {
  return body.some((statement) => {
    switch (statement.type) {
      case 'Break': return true
      case 'If': return breaks(statement.body) || breaks(statement.orelse)
      case 'With': case 'AsyncWith': return breaks(statement.body)
      case 'Try': case 'TryStar': return breaks(statement.body) || breaks(statement.orelse) || breaks(statement.finalbody) || statement.handlers.some((handler) => breaks(handler.body))
      case 'For': case 'AsyncFor': case 'While': return breaks(statement.orelse)
      default: return false
    }
  })
}

export { plain }
