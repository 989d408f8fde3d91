// What the tables of functions and methods say about each, and what they may ask of the two passes that read them.
import type { Code } from './code.ts'
import type { At, Call, Expression } from './tree.ts'
import { Type, type Atom, type PlainKind } from './types.ts'

export type Module = 'loopscope' | './python.ts' | './random.ts' | './pace.ts'

/** The inference, as far as the tables use it. */
export interface Inferring {
  grow(type: Type, ...from: Type[]): void
  make<A extends Atom>(at: object, kind: string, fresh: () => A): A
  queue(at: object, elem: Type, name: string): Type
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
  expression(node: Expression): Code
  /** The text of an expression, in parentheses if it binds less tightly than `level`. */
  code(node: Expression, level?: number): string
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
  present(node: Expression, level?: number): string
  /** Reports that this cannot be translated, and gives the code in its place. */
  problem(node: At, message: string): Code
  /** Imports a name. */
  use(name: string, from?: Module): string
  /** Imports one of the functions that do what Python does. */
  python(name: string): string
  /** The class of a dict with these keys, and of a set with these members, with its type. */
  mapOf(key: Type): string
  setOf(elem: Type): string
  /** Reports keys that are equal to others, but not in JavaScript. */
  checkKeys(node: At, key: Type): void
  /** The test of an `isinstance` or `except`. */
  instanceOf(value: Code, classes: Expression): Code
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

export type Returns = (call: CallTypes) => Type

export interface Api {
  /** Names of the parameters; those behind `|` are options in TypeScript. */
  signature: string
  returns: Returns
  write?: (call: CallCode) => Code | string
}

export const entry = (signature: string, returns: Returns, write?: Api['write']): Api => ({ signature, returns, ...(write === undefined ? {} : { write }) })

/** What gives the same kinds, whatever it is called with. */
export const of = (...kinds: PlainKind[]): Returns => () => new Type(...kinds)

/** A task for a coroutine. */
export const makeTask: Returns = ({ at, infer, arg }) => infer.awaitable(at, 'task', infer.awaited(arg('coro')))

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
