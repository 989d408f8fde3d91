// The left sides of assignments and loops.
import type { Expression } from '../tree.ts'
import type { Writer } from './writer.ts'

/** Whether it is a `_` that nothing reads. */
export function isUnused(w: Writer, target: Expression): boolean {
  if (target.type === 'Starred') return isUnused(w, target.value)
  return target.type === 'Name' && target.id === '_' && w.program.variables.get(target)?.occurrences.every(({ write }) => write) === true
}

/** Variables that get their values by unpacking. */
export function pattern(w: Writer, target: Expression): string {
  if (target.type === 'Starred') return `...${pattern(w, target.value)}`
  if (target.type !== 'Tuple' && target.type !== 'List') return w.code(target)
  return `[${target.elts.map((elt) => isUnused(w, elt) ? '' : pattern(w, elt)).join(', ').replace(/(, )+$/, '')}]`
}
