// Literals of containers, and what subscripts take out of them.
import { findMethod } from '../class-members.ts'
import { LEVEL, tight, type Code } from '../code.ts'
import type { At, Dict, DictComp, Expression, ListComp, Sequence, Slice, Subscript } from '../tree.ts'
import { elementsOf, plain, Type, type Atom } from '../types.ts'
import { comprehension } from './iteration.ts'
import { isErrorInstance } from './value-text.ts'
import { source, type Writer } from './writer.ts'

export function items(w: Writer, elts: readonly Expression[]): string {
  return elts.map((item) => item.type === 'Starred' ? `...${w.iterable(item.value).text}` : w.code(item)).join(', ')
}

export function setOf(w: Writer, node: Sequence | ListComp): Code {
  const elem = elementsOf(w.typeOf(node), 'set')
  checkKeys(w, node, elem)
  const from = node.type === 'SetComp' ? w.during('orderFree', true, () => comprehension(w, node, () => w.code(node.elt), [node.elt]).text) : `[${items(w, (node as Sequence).elts)}]`
  return tight(`new ${w.setOf(elem)}(${from})`)
}

export function dict(w: Writer, node: Dict): Code {
  const map = mapOf(w, node)
  const entries = node.values.map((value, i) => {
    const key = node.keys[i] ?? null
    return key === null ? `...${w.code(value)}` : `[${w.code(key)}, ${w.code(value)}]`
  })
  return tight(`${map}(${entries.length === 0 ? '' : `[${entries.join(', ')}]`})`)
}

export function dictOf(w: Writer, node: DictComp): Code {
  const pairs = comprehension(w, node, () => `[${w.code(node.key)}, ${w.code(node.value)}]`, [node.key, node.value])
  return tight(`${mapOf(w, node)}(${pairs.text})`)
}

function mapOf(w: Writer, node: Dict | DictComp): string {
  const [atom] = w.typeOf(node).of('dict')
  const { key, value } = atom ?? { key: new Type(), value: new Type() }
  checkKeys(w, node, key)
  return `new ${w.mapOf(key)}<${w.ts(key)}, ${w.ts(value)}>`
}

/** Keys and members that are equal only as values would be different ones in a Map. */
export function checkKeys(w: Writer, node: At, key: Type): void {
  const parts = new Type(...partsOf(key))
  if (key.has('tuple') && (parts.unknown || !parts.only('nat', 'int', 'fraction', 'float', 'str', 'bool', 'none', 'tuple', 'instance', 'task', 'future', 'queue'))) w.problem(node, 'a tuple as a key, of parts of which it is not known when they are equal')
  if (parts.of('instance').some(({ cls }) => cls.isDataclass || findMethod(cls, '__eq__') !== null)) w.problem(node, 'a key that is equal to others by its value')
  if (key.has('bool') && key.has('nat', 'int', 'fraction', 'float')) w.problem(node, 'keys that are numbers and booleans')
}

/** What keys are, and what is in those that are tuples. */
function partsOf(key: Type): Atom[] {
  return [...key.atoms].flatMap((atom) => atom.kind === 'tuple' ? [atom, ...atom.elems.flatMap((elem) => elem.unknown ? [plain('any')] : partsOf(elem))] : [atom])
}

export function subscript(w: Writer, node: Subscript): Code {
  const type = w.typeOf(node.value).without('none')
  const on = (): string => w.present(node.value, LEVEL.call)
  const { value, slice } = node
  if (slice.type === 'Slice') return sliced(w, node, slice, type)
  if (value.type === 'Attribute' && value.attr === 'args' && isErrorInstance(w.typeOf(value.value))) return w.problem(node, 'error.args: use str(error)')
  if (type.has('api', 'class') && !type.of('class').some(({ cls }) => cls.isEnum)) return w.expression(value)
  if (type.unknown) return w.unknown(value, `it is not known what '${source(value)}' is`)
  const key = w.code(slice)
  if (type.only('dict')) {
    if (type.of('dict').every(({ flavour }) => flavour !== 'dict')) return tight(`${on()}.get(${key})`)
    checkKeys(w, node, w.typeOf(slice))
    return tight(`${w.python('item')}(${on()}, ${key})`)
  }
  if (type.only('tuple') && slice.type === 'Constant') return tight(`${on()}[${key}]`)
  const [size = 0, ...others] = new Set(type.of('tuple').map(({ elems }) => elems.length))
  if (type.only('tuple') && others.length === 0 && slice.type === 'UnaryOp' && slice.operand.type === 'Constant') return tight(`${on()}[${size - Number(slice.operand.value)}]`)
  if (type.only('list', 'deque', 'str', 'tuple')) return tight(`${w.python('item')}(${w.present(value)}, ${key})`)
  return w.problem(node, 'a subscript of this')
}

function sliced(w: Writer, node: Subscript, { lower, upper, step }: Slice, type: Type): Code {
  if (!type.only('list', 'str', 'tuple')) return w.problem(node, 'a slice of this')
  const from = (lower: Expression | null): string => lower === null ? '' : w.code(lower)
  if (step === null) {
    const begin = from(lower)
    return tight(`${w.present(node.value, LEVEL.call)}.slice(${upper === null ? begin : `${begin || '0'}, ${w.code(upper)}`})`)
  }
  const backwards = step.type === 'UnaryOp' && step.operand.type === 'Constant' && step.operand.value === '1'
  if (backwards && lower === null && upper === null && type.only('list', 'str')) {
    const reversed = `[...${w.present(node.value, LEVEL.unary)}].reverse()`
    if (type.only('list')) return tight(reversed)
    if (type.only('str')) return tight(`${reversed}.join('')`)
  }
  if (step.type === 'Constant' && type.only('list') && upper === null) {
    return tight(`${w.present(node.value, LEVEL.call)}${lower === null ? '' : `.slice(${from(lower)})`}.filter((_, i) => i % ${w.code(step)} === 0)`)
  }
  return w.problem(node, 'a slice with this step')
}
