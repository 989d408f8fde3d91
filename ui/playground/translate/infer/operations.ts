// What operators and literals give.
import type { BinaryOperator, Constant, UnaryOp } from '../tree.ts'
import { elementsOf, NUMERIC, Type, union } from '../types.ts'
import type { Knowledge } from './knowledge.ts'

export function constant({ kind, value }: Constant): Type {
  switch (kind) {
    case 'int': return new Type('nat')
    case 'float': return new Type(/^\d+\.\d*[1-9]$/.test(String(value)) ? 'fraction' : 'float')
    case 'str': case 'bool': case 'none': case 'bytes': return new Type(kind)
    default: return new Type()
  }
}

export function unary(op: UnaryOp['op'], operand: Type): Type {
  if (op === 'Not') return new Type('bool')
  if (op === 'Invert') return new Type('int')
  return op === 'USub' && operand.has('nat', 'bool') ? union(operand.without('nat', 'bool'), new Type('int')) : operand
}

export function binary(infer: Knowledge, at: object, op: BinaryOperator, left: Type, right: Type): Type {
  const found = new Type()
  if (left.has('any') || right.has('any')) found.join(new Type('any'))
  if (left.has(...NUMERIC) && right.has(...NUMERIC)) found.join(arithmetic(op, left, right))
  if (left.has('str')) found.join(new Type('str'))
  if (right.has('str') && op === 'Mult') found.join(new Type('str'))
  if (op === 'Mult' && left.has('list')) found.join(infer.list(at, elementsOf(left, 'list')))
  if (op === 'Add' && left.has('list') && right.has('list')) found.join(infer.list(at, union(elementsOf(left, 'list'), elementsOf(right, 'list'))))
  if (op === 'Add' && left.has('tuple') && right.has('tuple')) {
    for (const a of left.of('tuple')) for (const b of right.of('tuple')) found.join(infer.tuple(at, [...a.elems, ...b.elems]))
  }
  if (left.has('set') && right.has('set')) found.join(infer.list(at, union(elementsOf(left, 'set'), elementsOf(right, 'set')), 'set'))
  if (op === 'BitOr' && left.has('dict') && right.has('dict')) {
    const dicts = [...left.of('dict'), ...right.of('dict')]
    found.join(infer.dict(at, union(...dicts.map(({ key }) => key)), union(...dicts.map(({ value }) => value))))
  }
  return found
}

/** `&`, `|` and `^`. */
export function isBitwise(op: BinaryOperator): op is 'BitAnd' | 'BitOr' | 'BitXor' {
  return op === 'BitAnd' || op === 'BitOr' || op === 'BitXor'
}

function arithmetic(op: BinaryOperator, left: Type, right: Type): Type {
  if (op === 'Div') return new Type('float')
  if (isBitwise(op)) {
    if (left.only('bool') && right.only('bool')) return new Type('bool')
    const natural = [left, right].filter((type) => type.only('nat', 'bool')).length
    // One side without a sign clears it in the result of `&`.
    return new Type(natural > (op === 'BitAnd' ? 0 : 1) ? 'nat' : 'int')
  }
  const found = new Type()
  if (left.has('float', 'fraction') || right.has('float', 'fraction')) found.join(new Type('float'))
  if (left.has('nat', 'int', 'bool') && right.has('nat', 'int', 'bool')) {
    const natural = [left, right].every((type) => type.without('float', 'fraction').only('nat', 'bool')) && op !== 'Sub'
    found.join(new Type(natural || (op === 'Mod' && right.only('nat')) ? 'nat' : 'int'))
  }
  return found
}
