// What the translation knows about values: a type is a set of atoms, which only grows while the program is gone through again
// and again. A container is the place that made it, with a type for what is put into it.
import type { ClassInfo, Routine } from './scopes.ts'

/** Whole numbers from 0 up are `nat`, as long as that is sure; a `fraction` is a literal such as 0.5, which prints the same in both languages. */
export type PlainKind = 'nat' | 'int' | 'fraction' | 'float' | 'str' | 'bool' | 'none' | 'bytes' | 'void' | 'any'

export type Atom =
  | { kind: PlainKind }
  | { kind: 'list' | 'deque' | 'set' | 'iter' | 'stream'; elem: Type }
  | { kind: 'dict'; key: Type; value: Type; flavour: 'dict' | 'defaultdict' | 'Counter' }
  /** `isList`: what gather gives, a list whose places are known. `isRest`: the `*args` of a function. `tag`: the string that it begins with. */
  | { kind: 'tuple'; elems: Type[]; isList: boolean; isRest?: true; tag?: string }
  | { kind: 'routine'; routine: Routine; self: Atom | null }
  | { kind: 'partial'; of: Type; args: Type[] }
  | { kind: 'coro' | 'task' | 'future' | 'context'; result: Type; name?: string }
  | { kind: 'queue'; elem: Type; name: string }
  | { kind: 'var'; value: Type }
  | { kind: 'class'; cls: ClassInfo }
  | { kind: 'instance'; cls: ClassInfo }
  | { kind: 'super'; cls: ClassInfo }
  | { kind: 'error' | 'errorClass' | 'object' | 'module' | 'api'; name: string }
  | { kind: 'method'; on: Atom; name: string }

export type Kind = Atom['kind']
/** The atoms whose kind is among `K`. */
export type Of<K extends Kind, A = Atom> = A extends { kind: infer Q } ? (K & Q) extends never ? never : A : never

const PLAIN = new Map<string, Atom>()

/** The one atom of a kind that has no parts. */
export function plain(kind: PlainKind): Atom {
  return named('', kind as 'object')
}

/** The one atom of a kind with a name, such as a module. */
export function named(name: string, kind: 'error' | 'errorClass' | 'object' | 'module' | 'api'): Atom {
  const key = `${kind} ${name}`
  let atom = PLAIN.get(key)
  if (atom === undefined) PLAIN.set(key, atom = name === '' ? { kind: kind as PlainKind } : { kind, name })
  return atom
}

export class Type {
  readonly atoms = new Set<Atom>()

  constructor(...atoms: (Atom | PlainKind)[]) {
    for (const atom of atoms) this.atoms.add(typeof atom === 'string' ? plain(atom) : atom)
  }

  /** Adds what `other` has; returns whether that was anything new. */
  join(other: Type): boolean {
    const before = this.atoms.size
    for (const atom of other.atoms) this.atoms.add(atom)
    return this.atoms.size > before
  }

  get unknown(): boolean {
    return this.atoms.size === 0 || this.has('any')
  }

  has(...kinds: Kind[]): boolean {
    for (const { kind } of this.atoms) if (kinds.includes(kind)) return true
    return false
  }

  /** Whether it is known, and nothing but these. */
  only(...kinds: Kind[]): boolean {
    return this.atoms.size > 0 && [...this.atoms].every(({ kind }) => kinds.includes(kind))
  }

  of<K extends Kind>(...kinds: K[]): Of<K>[] {
    return [...this.atoms].filter((atom): atom is Of<K> => kinds.includes(atom.kind as K))
  }

  /** The type without these kinds. */
  without(...kinds: Kind[]): Type {
    return new Type(...[...this.atoms].filter(({ kind }) => !kinds.includes(kind)))
  }
}

/** What can be calculated with. */
export const NUMERIC = ['nat', 'int', 'fraction', 'float', 'bool'] as const
export const CONTAINERS = ['list', 'deque', 'tuple', 'set', 'dict'] as const

export function union(...types: Type[]): Type {
  const all = new Type()
  for (const type of types) all.join(type)
  return all
}

/** The types of the elements of containers of these kinds. */
export function elementsOf(type: Type, ...kinds: ('list' | 'deque' | 'set' | 'iter' | 'stream')[]): Type {
  return union(...type.of(...kinds).map(({ elem }) => elem), ...type.of('tuple').flatMap(({ elems }) => elems))
}
