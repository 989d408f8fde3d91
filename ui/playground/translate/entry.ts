// What the tables of functions and methods say about each, and what they may ask of the two passes that read them.
import type { Call, Expression } from './tree.ts'
import type { Atom, Type } from './types.ts'

/** A piece of TypeScript; `level` says how tightly its outermost operator binds. */
export interface Code {
  text: string
  level: number
}

export const LEVEL = { yield: 2, conditional: 3, or: 4, and: 5, bitOr: 6, bitXor: 7, bitAnd: 8, equality: 9, relation: 10, shift: 11, sum: 12, product: 13, power: 14, unary: 15, call: 17 } as const

/** A call or a name: nothing binds more tightly. */
export const tight = (text: string): Code => ({ text, level: LEVEL.call })

/** The inference, as far as the tables use it. */
export interface Inferring {
  grow(type: Type, ...from: Type[]): void
  make<A extends Atom>(at: object, kind: string, fresh: () => A): A
  list(at: object, elem: Type, kind?: 'list' | 'deque' | 'set' | 'iter' | 'stream'): Type
  tuple(at: object, elems: Type[], isList?: boolean): Type
  dict(at: object, key: Type, value: Type, flavour?: 'dict' | 'defaultdict' | 'Counter'): Type
  awaitable(at: object, kind: 'coro' | 'task' | 'future', result: Type, name?: string): Type
  awaited(type: Type): Type
  iterated(at: object, type: Type): Type
  invoke(at: object, type: Type, args: Type[]): Type
}

export interface CallTypes {
  at: object
  infer: Inferring
  /** The object of a method. */
  on: Atom | null
  /** Arguments beyond the signature. */
  rest: Type[]
  arg: (name: string) => Type
  expression: (name: string) => Expression | null
}

/** The writer, as far as the tables use it. */
export interface Writing {
  expression(node: Expression, level?: number): Code
  /** As `str` prints it. */
  text(node: Expression): Code
  typeOf(node: Expression): Type
  /** A type in TypeScript. */
  ts(type: Type): string
  /** The value as an array. */
  array(node: Expression): Code
  /** Something that `for … of` goes through. */
  iterable(node: Expression): Code
  /** A test that is true if Python counts the value as true. */
  test(node: Expression, negated?: boolean): Code
  /** The value, which is not None here. */
  present(node: Expression, level?: number): Code
  /** Reports that this cannot be translated, and gives the code in its place. */
  problem(node: Expression, message: string): Code
  /** Imports a name. */
  use(name: string, from?: 'loopscope' | './python.ts' | './random.ts' | './pace.ts'): string
  /** The test of an `isinstance` or `except`. */
  instanceOf(value: Code, classes: Expression): Code
  lambda(parameters: string, body: Code): Code
  isNatural(node: Expression): boolean
  /** Whether a loop runs wherever this is called. */
  readonly insideCoroutine: boolean
  readonly insideFunction: boolean
  readonly takesSets: boolean
}

export interface CallCode {
  node: Call
  w: Writing
  /** The object of a method, ready for a dot. */
  on: string
  onAtom: Atom | null
  arg: (name: string) => Expression | null
  rest: Expression[]
  /** The argument's code; '' if it is not given. */
  code: (name: string, level?: number) => string
}

export interface Api {
  /** Names of the parameters; those behind `|` are options in TypeScript. */
  signature: string
  returns: (call: CallTypes) => Type
  write?: (call: CallCode) => Code | string
}

export interface Names {
  positional: string[]
  options: string[]
}

const known = new Map<string, Names>()

export function parseSignature(signature: string): Names {
  let names = known.get(signature)
  if (names === undefined) {
    const [positional = '', options = ''] = signature.split('|').map((part) => part.trim())
    const words = (text: string): string[] => text === '' ? [] : text.split(/\s+/)
    known.set(signature, names = { positional: words(positional), options: words(options) })
  }
  return names
}
