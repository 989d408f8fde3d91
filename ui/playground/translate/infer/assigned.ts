// Assignments: what flows into variables, fields and containers.
import { findField } from '../class-members.ts'
import type { AugAssign, Comprehension, Expression } from '../tree.ts'
import { Type, union } from '../types.ts'
import type { Knowledge } from './knowledge.ts'
import { binary } from './operations.ts'

export function assign(infer: Knowledge, target: Expression, value: Type): void {
  switch (target.type) {
    case 'Name': {
      const variable = infer.program.variables.get(target)
      if (variable !== undefined) infer.grow(variable.type, value)
      infer.note(target, value)
      return
    }
    case 'Tuple': case 'List': {
      const star = target.elts.findIndex(({ type }) => type === 'Starred')
      for (const [i, elt] of target.elts.entries()) {
        if (elt.type === 'Starred') assign(infer, elt.value, infer.list(elt, infer.iterated(target, value)))
        // What comes after a star is counted from the end.
        else assign(infer, elt, position(infer, target, value, star >= 0 && i > star ? i - target.elts.length : i))
      }
      return
    }
    case 'Attribute':
      for (const atom of infer.expression(target.value).atoms) {
        if (atom.kind !== 'instance' && atom.kind !== 'class') continue
        let type = findField(atom.cls, target.attr)
        if (type === null && atom.kind === 'instance') atom.cls.fields.set(target.attr, type = new Type())
        if (type !== null) infer.grow(type, value)
      }
      infer.note(target, value)
      return
    case 'Subscript': {
      const on = infer.expression(target.value)
      const key = infer.expression(target.slice)
      for (const atom of on.atoms) {
        if (atom.kind === 'dict') {
          infer.grow(atom.key, key)
          infer.grow(atom.value, value)
        } else if (atom.kind === 'list' || atom.kind === 'deque') {
          infer.grow(atom.elem, target.slice.type === 'Slice' ? infer.iterated(target, value) : value)
        }
      }
      infer.note(target, value)
      return
    }
    case 'Starred': assign(infer, target.value, value); return
    default:
  }
}

/** What is at a place of a value that is unpacked. */
function position(infer: Knowledge, at: object, value: Type, index: number): Type {
  const tuples = value.of('tuple').map(({ elems }) => elems.at(index) ?? new Type())
  return union(...tuples, infer.iterated(at, value.without('tuple')))
}

export function augmented(infer: Knowledge, { target, op, value }: AugAssign): void {
  const left = infer.expression(target)
  const right = infer.expression(value)
  if (op === 'Add' && left.has('list', 'deque')) {
    for (const atom of left.of('list', 'deque')) infer.grow(atom.elem, infer.iterated(value, right))
    return
  }
  assign(infer, target, binary(infer, target, op, left, right))
}

/** What goes through something: `for target in iter`. */
export function goThrough(infer: Knowledge, { target, iter }: Pick<Comprehension, 'target' | 'iter'>): void {
  assign(infer, target, infer.iterated(iter, infer.expression(iter)))
}
