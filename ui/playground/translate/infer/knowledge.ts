// What is known about the values of a program, and what the parts of the inference ask of each other. Nothing is ever taken back: types only grow.
import type { ClassInfo, Program, Routine, Variable } from '../scopes.ts'
import type { Expression, Statement } from '../tree.ts'
import { named, Type, union, type Atom } from '../types.ts'

export abstract class Knowledge {
  readonly types = new Map<Expression, Type>()
  readonly program: Program
  /** Whether a type has grown in this round. */
  changed = false
  /** The function and the class around what is looked at. */
  routine: Routine | null = null
  owner: ClassInfo | null = null
  /** What a variable is where an `isinstance` of it is true. */
  readonly narrow = new Map<Variable, Type>()
  readonly #made = new Map<object, Map<string, Atom>>()

  constructor(program: Program) {
    this.program = program
  }

  /** What an expression evaluates to. */
  abstract expression(expression: Expression): Type
  /** Lets values flow through a block. */
  abstract block(body: readonly Statement[]): void
  /** What iterating over a value gives. */
  abstract iterated(at: object, type: Type): Type
  /** Calls every function in `type` with arguments of these types. */
  abstract invoke(at: object, type: Type, args: Type[]): Type

  typeOf(expression: Expression): Type {
    return this.types.get(expression) ?? new Type()
  }

  grow(type: Type, ...from: Type[]): void {
    for (const other of from) if (other !== type && type.join(asValue(other))) this.changed = true
  }

  /** Adds to what an expression evaluates to. */
  note(expression: Expression, type: Type): Type {
    let noted = this.types.get(expression)
    if (noted === undefined) this.types.set(expression, noted = new Type())
    this.grow(noted, type)
    return noted
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

  queue(at: object, elem: Type, name: string): Type {
    const atom = this.make(at, 'queue', () => ({ kind: 'queue' as const, elem: new Type(), name }))
    this.grow(atom.elem, elem)
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

  instance(cls: ClassInfo): Atom {
    return this.make(cls, 'instance', () => ({ kind: 'instance' as const, cls }))
  }

  classAtom(cls: ClassInfo): Atom {
    return this.make(cls, 'class', () => ({ kind: 'class' as const, cls }))
  }

  /** What classes make: their instances. */
  instancesOf(type: Type): Type {
    return new Type(...[...type.atoms].flatMap((atom) => atom.kind === 'class' ? [this.instance(atom.cls)] : atom.kind === 'errorClass' ? [named(atom.name, 'error')] : []))
  }

  /** The values of an Enum's members. */
  enumValues(cls: ClassInfo): Type {
    return this.make(cls, 'values', () => ({ kind: 'list' as const, elem: new Type() })).elem
  }

  /** A function as a value; with `self`, a method of that object. */
  function(at: object, routine: Routine, self: Atom | null = null, kind = 'routine'): Type {
    return new Type(this.make(at, kind, () => ({ kind: 'routine' as const, routine, self })))
  }
}

/** A module that is passed around: `random` is the one that can be. */
function asValue(type: Type): Type {
  const module = type.of('module').find(({ name }) => name === 'random')
  return module === undefined ? type : union(type.without('module'), new Type(named('Random', 'object')))
}
