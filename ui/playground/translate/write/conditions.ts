// Conditions: what counts as true in Python, what is equal, and how values are compared.
import { infix, LEVEL, not, operand, tight, type Code, type Sign } from '../code.ts'
import { findMethod, isA } from '../class-members.ts'
import { isNone, type BoolOp, type Compare, type Comparison, type Constant, type Expression } from '../tree.ts'
import { CONTAINERS, elementsOf, NUMERIC, union, type Atom, type Type } from '../types.ts'
import { items } from './containers.ts'
import { errorClass } from './references.ts'
import { source, type Writer } from './writer.ts'

/** What JavaScript counts as true where Python does. */
const PLAIN_TRUTH = ['nat', 'int', 'float', 'fraction', 'str', 'bool', 'none', 'void'] as const
const RELATIONS: Partial<Record<Comparison, Sign>> = { Lt: '<', LtE: '<=', Gt: '>', GtE: '>=' }
const OPPOSITE: Record<Comparison, Comparison> = {
  Eq: 'NotEq', NotEq: 'Eq', Is: 'IsNot', IsNot: 'Is', In: 'NotIn', NotIn: 'In', Lt: 'GtE', GtE: 'Lt', Gt: 'LtE', LtE: 'Gt',
}

export function test(w: Writer, node: Expression, negated: boolean): Code {
  const asIs = (code: Code): Code => negated ? not(code) : code
  if (node.type === 'UnaryOp' && node.op === 'Not') return w.test(node.operand, !negated)
  if (node.type === 'BoolOp') {
    const and = (node.op === 'And') !== negated
    const level = and ? LEVEL.and : LEVEL.or
    const values = node.op === 'And' ? node.values.filter((value) => !isSure(w, value)) : node.values
    if (values.length === 0) return asIs(tight('true'))
    if (values.length === 1) return w.test(values[0] as Expression, negated)
    const parts = values.map((value) => {
      const code = w.test(value, negated)
      // && in || needs no parentheses, but is clearer with them.
      return operand(code, !and && code.level === LEVEL.and ? LEVEL.and + 1 : level)
    })
    return { text: parts.join(and ? ' && ' : ' || '), level }
  }
  if (node.type === 'Compare') return compare(w, node, negated)
  const type = w.typeOf(node)
  if (node.type === 'Constant') return asIs(tight(String(isTrue(node))))
  if (type.unknown) return w.unknown(node, `it is not known what '${source(node)}' is, and so not whether it counts as true`)
  if (type.only('bool')) return asIs(w.expression(node))
  const container = type.without('none', 'void')
  if (container.only(...CONTAINERS)) {
    const size = container.only('set', 'dict') ? 'size' : container.only('list', 'deque', 'tuple') ? 'length' : null
    if (size === null) return w.problem(node, 'a list or a set here')
    const code = w.code(node, LEVEL.call)
    if (!type.has('none', 'void')) return infix(`${code}.${size}`, negated ? '===' : '>', '0')
    return negated ? not(tight(`${code}?.${size}`)) : infix(`(${code}?.${size} ?? 0)`, '>', '0')
  }
  const unequal = (value: string): Code => infix(w.code(node, LEVEL.equality + 1), negated ? '===' : '!==', value)
  if (type.only('nat', 'int', 'float', 'fraction')) return unequal('0')
  if (type.only('str')) return unequal("''")
  if (type.only(...PLAIN_TRUTH)) return asIs(w.expression(node))
  if (type.has(...CONTAINERS)) return w.problem(node, 'a value that may be a container or something else')
  if (type.of('instance').some(({ cls }) => findMethod(cls, '__bool__', '__len__') !== null)) return w.problem(node, 'an object with __bool__ or __len__: compare what is meant')
  // Other objects always count as true.
  if (type.has('none', 'void') && !type.without('none', 'void').has(...PLAIN_TRUTH)) return unequal(type.has('void') ? 'undefined' : 'null')
  return asIs(w.expression(node))
}

function isTrue({ kind, value }: Constant): boolean {
  return kind === 'bool' ? value === true : kind === 'int' || kind === 'float' ? Number(value) !== 0 : kind === 'str' ? value !== '' : kind !== 'none'
}

/** Whether a test of a pattern is true of every value that there can be. */
function isSure(w: Writer, node: Expression): boolean {
  if (node.type === 'Compare' && node.isPattern === true && node.left.type === 'Call' && node.left.args[0] !== undefined) {
    const [size] = node.comparators
    const type = w.typeOf(node.left.args[0])
    return node.ops[0] === 'Eq' && type.only('tuple') && type.of('tuple').every(({ elems, isRest }) => isRest !== true && size?.type === 'Constant' && elems.length === Number(size.value))
  }
  if (node.type !== 'Call' || node.isPattern !== true) return false
  const [value, classes] = node.args as [Expression, Expression]
  const type = w.typeOf(value)
  if (classes.type === 'Tuple') return type.only('list', 'tuple', 'deque')
  const wanted = w.typeOf(classes).of('class')[0]?.cls
  if (wanted !== undefined) return type.only('instance') && type.of('instance').every(({ cls }) => isA(cls, wanted))
  switch (w.pathOf(classes)) {
    case 'builtins.dict': return type.only('dict')
    case 'builtins.str': return type.only('str')
    case 'builtins.bool': return type.only('bool')
    case 'builtins.int': return type.only('nat', 'int', 'bool')
    case 'builtins.float': return type.only('float', 'fraction')
    case 'builtins.list': return type.only('list')
    case 'builtins.tuple': return type.only('tuple')
    default: return false
  }
}

/** `a or b` as a value. */
export function either(w: Writer, node: BoolOp): Code {
  if (node.values.every((value) => w.typeOf(value).only('bool'))) return w.test(node)
  const sameTruth = (type: Type): boolean => !type.unknown && !type.has(...CONTAINERS, 'instance')
  if (node.values.slice(0, -1).every((value) => sameTruth(w.typeOf(value)))) {
    const parts = node.values.map((value) => operand(w.expression(value), LEVEL.and + 1))
    return node.op === 'And' ? { text: parts.join(' && '), level: LEVEL.and } : { text: parts.join(' || '), level: LEVEL.or }
  }
  const [first, second] = node.values
  if (node.values.length === 2 && first !== undefined && second !== undefined && (first.type === 'Name' || first.type === 'Attribute')) {
    if (node.op === 'Or' && w.typeOf(first).without('none').only('instance')) return infix(w.code(first, LEVEL.or), '??', w.code(second, LEVEL.or + 1))
    const condition = w.test(first).text
    const [yes, no] = node.op === 'Or' ? [w.present(first, LEVEL.conditional), w.code(second, LEVEL.conditional)] : [w.code(second, LEVEL.conditional), w.code(first, LEVEL.conditional)]
    return { text: `${condition} ? ${yes} : ${no}`, level: LEVEL.conditional }
  }
  return w.problem(node, "'and' and 'or' of these values: write if")
}

export function compare(w: Writer, node: Compare, negated = false): Code {
  let left = node.left
  const parts = node.ops.map((op, i) => {
    const right = node.comparators[i] as Expression
    if (i > 0 && !['Name', 'Constant', 'Attribute'].includes(left.type)) w.problem(left, 'a chained comparison whose middle is more than a name')
    const code = comparison(w, node, left, negated && node.ops.length === 1 ? OPPOSITE[op] : op, right)
    left = right
    return code
  })
  const [first] = parts
  if (first !== undefined && parts.length === 1) return first
  const all: Code = { text: parts.map((part) => operand(part, LEVEL.and)).join(' && '), level: LEVEL.and }
  return negated ? not(all) : all
}

function comparison(w: Writer, node: Compare, left: Expression, op: Comparison, right: Expression): Code {
  switch (op) {
    case 'Is': case 'IsNot': case 'Eq': case 'NotEq': return equality(w, left, op, right)
    case 'In': return contained(w, node, left, right)
    case 'NotIn': return not(contained(w, node, left, right))
    default: {
      const [a, b] = [w.typeOf(left), w.typeOf(right)]
      const sign = RELATIONS[op] as Sign
      const isNumber = (type: Type): boolean => type.without('none').only(...NUMERIC)
      if ((isNumber(a) && isNumber(b)) || (a.only('str') && b.only('str'))) return infix(w.present(left, LEVEL.relation + 1), sign, w.present(right, LEVEL.relation + 1))
      if (a.has('set', 'instance') || a.unknown || b.unknown) return w.problem(node, 'it is not known how these are compared')
      return infix(`${w.python('compare')}(${w.code(left)}, ${w.code(right)})`, sign, '0')
    }
  }
}

function equality(w: Writer, left: Expression, op: 'Is' | 'IsNot' | 'Eq' | 'NotEq', right: Expression): Code {
  const [a, b] = [w.typeOf(left), w.typeOf(right)]
  const level = LEVEL.equality + 1
  const equals = op === 'Is' || op === 'Eq'
  const sign = equals ? '===' : '!=='
  if (isNone(right)) return infix(w.code(left, level), a.has('void') ? equals ? '==' : '!=' : sign, 'null')
  if (op === 'Eq' || op === 'NotEq') {
    if (a.unknown || b.unknown) return w.unknown(a.unknown ? left : right, 'it is not known what is compared here: add an annotation')
    if (a.has('bool') !== b.has('bool') && a.has(...NUMERIC) && b.has(...NUMERIC)) return infix(`Number(${w.code(left)})`, sign, `Number(${w.code(right)})`)
    if (a.has(...CONTAINERS) || b.has(...CONTAINERS) || equalByValue(a)) {
      const call = tight(`${w.python('equal')}(${w.code(left)}, ${w.code(right)})`)
      return equals ? call : not(call)
    }
  }
  // Types that have nothing in common make TypeScript complain, not Python.
  const cast = !a.unknown && !b.unknown && w.ts(a) !== w.ts(b) && !overlap(a, b)
  const first = w.code(left, level)
  return infix(cast ? `(${first} as unknown)` : first, sign, w.code(right, level))
}

function overlap(a: Type, b: Type): boolean {
  const group = (atom: Atom): string => ['nat', 'int', 'fraction', 'float'].includes(atom.kind) ? 'number' : atom.kind === 'error' || (atom.kind === 'instance' && atom.cls.error !== null) ? 'error' : atom.kind
  const groups = new Set([...a.atoms].map(group))
  return [...b.atoms].some((atom) => groups.has(group(atom)))
}

function equalByValue(type: Type): boolean {
  return type.of('instance').some(({ cls }) => cls.isDataclass)
}

function contained(w: Writer, node: Compare, value: Expression, container: Expression): Code {
  if (w.isCallOf(container, 'builtins.range')) return w.problem(node, 'in range(…): compare with its bounds')
  const type = w.typeOf(container).without('none')
  const on = w.present(container, LEVEL.call)
  const item = w.code(value)
  if (type.only('dict', 'set')) return tight(`${on}.has(${item})`)
  if (type.only('str')) return tight(`${on}.includes(${item})`)
  if (!type.only('list', 'deque', 'tuple')) return w.problem(node, "it is not known what 'in' looks into here")
  const elem = elementsOf(type, 'list', 'deque')
  if (elem.has(...CONTAINERS) || equalByValue(elem)) return tight(`${on}.some((each) => ${w.python('equal')}(each, ${item}))`)
  // A tuple of literals has a narrower type than the value.
  const isLiteral = container.type === 'Tuple' || container.type === 'List'
  if (!isLiteral || w.ts(w.typeOf(value)) === w.ts(elem)) return tight(`${on}.includes(${item})`)
  return tight(`([${items(w, container.elts)}] as ${w.ts(union(elem, w.typeOf(value)))}[]).includes(${item})`)
}

export function instanceOf(w: Writer, value: Code, classes: Expression): Code {
  if (classes.type === 'Tuple') return { text: classes.elts.map((one) => w.instanceOf(value, one).text).join(' || '), level: LEVEL.or }
  if (classes.type === 'BinOp' && classes.op === 'BitOr') return w.instanceOf(value, { ...classes, type: 'Tuple', elts: [classes.left, classes.right] })
  const { text } = value
  const isOf = (name: string): Code => infix(text, 'instanceof', name)
  const hasType = (name: string): Code => infix(`typeof ${text}`, '===', `'${name}'`)
  for (const atom of w.typeOf(classes).atoms) {
    if (atom.kind === 'class') return isOf(atom.cls.variable.code)
    if (atom.kind === 'errorClass') {
      if (atom.name === 'Exception') return tight(`${w.python('isException')}(${text})`)
      if (atom.name === 'OSError') return infix(isOf(errorClass(w, 'OSError')).text, '||', isOf(errorClass(w, 'TimeoutError')).text)
      return isOf(errorClass(w, atom.name))
    }
  }
  switch (w.pathOf(classes)) {
    case 'builtins.str': return hasType('string')
    case 'builtins.int': case 'builtins.float': return hasType('number')
    case 'builtins.bool': return hasType('boolean')
    case 'builtins.list': case 'builtins.tuple': return tight(`Array.isArray(${text})`)
    case 'builtins.dict': return isOf('Map')
    case 'builtins.set': return isOf('Set')
    case 'asyncio.Task': return isOf(w.use('Task'))
    case 'asyncio.Future': return isOf(w.use('Future'))
    default: return w.problem(classes, `isinstance of ${source(classes)}`)
  }
}
