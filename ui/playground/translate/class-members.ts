// Questions about the members of a class and its bases.
import { dotted, type ClassInfo, type Routine } from './scopes.ts'
import type { Expression } from './tree.ts'
import type { Type } from './types.ts'

/** The first class of a chain for which `find` gives something gives it. */
function inherited<T>(cls: ClassInfo, find: (cls: ClassInfo) => T | undefined): T | null {
  const own = find(cls)
  if (own !== undefined) return own
  for (const base of cls.bases) {
    const found = inherited(base, find)
    if (found !== null) return found
  }
  return null
}

/** Whether a class is another, or extends it. */
export function isA(cls: ClassInfo, other: ClassInfo): boolean {
  return cls === other || cls.bases.some((base) => isA(base, other))
}

/** The method of the first of these names that the class or its bases have. */
export function findMethod(cls: ClassInfo, ...names: string[]): Routine | null {
  for (const name of names) {
    const found = inherited(cls, ({ methods }) => methods.get(name))
    if (found !== null) return found
  }
  return null
}

/** The type of a field, in the class of a chain that has it. */
export function findField(cls: ClassInfo, name: string): Type | null {
  return inherited(cls, ({ fields, statics }) => fields.get(name) ?? statics.get(name))
}

/** The class of a chain in whose body a value has this name, unless it is a field of its instances. */
export function staticOwner(cls: ClassInfo, name: string): ClassInfo | null {
  if (inherited(cls, ({ fields }) => fields.get(name)) !== null) return null
  return inherited(cls, (one) => one.statics.has(name) ? one : undefined)
}

/** The fields of a dataclass that its own body has. */
export function ownDataFields(cls: ClassInfo): { name: string; value: Expression | null }[] {
  return cls.node.body.flatMap((statement) => statement.type === 'AnnAssign' && statement.target.type === 'Name' && !/ClassVar/.test(dotted(statement.annotation))
    ? [{ name: statement.target.id, value: statement.value }] : [])
}

/** The fields of a dataclass in the order of its constructor, those of its bases first. */
export function dataFields(cls: ClassInfo): { name: string; value: Expression | null }[] {
  return [...cls.bases.flatMap(dataFields), ...ownDataFields(cls)]
}
