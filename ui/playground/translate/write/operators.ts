// Operators: on numbers, of which JavaScript has one kind, on strings and on containers.
import { infix, LEVEL, tight, type Code } from '../code.ts'
import { dotted } from '../scopes.ts'
import { everyExpression, type BinOp, type Expression, type UnaryOp } from '../tree.ts'
import { elementsOf, NUMERIC, union, type Type } from '../types.ts'
import { percent } from './formatting.ts'
import { notKnown, type Writer } from './writer.ts'

function number(w: Writer, node: Expression, level: number): string {
  return w.typeOf(node).has('bool') ? `Number(${w.code(node)})` : w.present(node, level)
}

export function unary(w: Writer, node: UnaryOp): Code {
  if (node.op === 'Invert') {
    if (!w.typeOf(node.operand).only('nat', 'int', 'bool')) return w.problem(node, 'the operator ~ of something other than a whole number')
    return infix(`-${number(w, node.operand, LEVEL.unary)}`, '-', '1')
  }
  return { text: `${node.op === 'USub' ? '-' : '+'}${number(w, node.operand, LEVEL.unary)}`, level: LEVEL.unary }
}

export function binary(w: Writer, node: BinOp): Code {
  const { left, op, right } = node
  const [a, b] = [w.typeOf(left).without('none'), w.typeOf(right).without('none')]
  if (op === 'Mod' && left.type === 'Constant' && left.kind === 'str') return percent(w, node, String(left.value), right)
  if (a.unknown || b.unknown) {
    const unknown = a.unknown ? left : right
    return w.unknown(unknown, notKnown(unknown, 'what the operator does: add an annotation'))
  }
  if (a.only(...NUMERIC) && b.only(...NUMERIC)) return w.during('float', w.float || w.typeOf(node).only('float'), () => arithmetic(w, node, a, b))
  const inArray = (one: Expression): string => `...${w.present(one, LEVEL.unary)}`
  if (op === 'Add') {
    if (a.only('str') && b.only('str')) return infix(w.present(left, LEVEL.sum), '+', w.present(right, LEVEL.sum + 1))
    if (a.only('list', 'deque', 'tuple') && b.only('list', 'deque', 'tuple')) return tight(`[${inArray(left)}, ${inArray(right)}]`)
  }
  if (op === 'Mult') return a.only('str', 'list') ? repeated(w, node, left, right) : repeated(w, node, right, left)
  if (a.only('set') && b.only('set')) {
    const others = w.code(right, LEVEL.call)
    const set = w.setOf(elementsOf(w.typeOf(node), 'set'))
    if (op === 'BitOr') return tight(`new ${set}([${inArray(left)}, ${inArray(right)}])`)
    if (op === 'BitAnd') return tight(`new ${set}([${inArray(left)}].filter((each) => ${others}.has(each)))`)
    if (op === 'Sub') return tight(`new ${set}([${inArray(left)}].filter((each) => !${others}.has(each)))`)
  }
  if (op === 'BitOr' && a.only('dict') && b.only('dict')) return tight(`new ${w.mapOf(union(...[...a.of('dict'), ...b.of('dict')].map(({ key }) => key)))}([${inArray(left)}, ${inArray(right)}])`)
  return w.problem(node, 'this operator of these values')
}

/** A string or a list several times. */
function repeated(w: Writer, node: BinOp, what: Expression, times: Expression): Code {
  if (!w.typeOf(times).only('nat', 'int')) return w.problem(node, 'this product')
  const count = w.typeOf(times).only('nat') ? w.code(times) : `Math.max(0, ${w.code(times)})`
  if (w.typeOf(what).only('str')) return tight(`${w.code(what, LEVEL.call)}.repeat(${count})`)
  if (what.type === 'List' && what.elts.length === 1 && what.elts[0]?.type === 'Constant') return tight(`${w.global('Array')}.from({ length: ${count} }, () => ${w.code(what.elts[0])})`)
  return w.problem(node, 'a list times a number, unless it is of one literal')
}

function arithmetic(w: Writer, node: BinOp, a: Type, b: Type): Code {
  const { left, op, right } = node
  const whole = a.only('nat', 'int', 'bool') && b.only('nat', 'int', 'bool') && !w.float
  const notZero = right.type === 'Constant' && Number(right.value) !== 0
  const product = (sign: '*' | '/' | '%'): Code => infix(number(w, left, LEVEL.product), sign, number(w, right, LEVEL.product + 1))
  const call = (name: string): Code => tight(`${w.python(name)}(${number(w, left, 0)}, ${number(w, right, 0)})`)
  const exact = ({ text }: Code): Code => tight(`${w.python('exact')}(${text})`)
  /** The left number, moved by the right one's number of binary places. */
  const shifted = (sign: '*' | '/'): Code => infix(number(w, left, LEVEL.product), sign, `2 ** ${number(w, right, LEVEL.power)}`)
  switch (op) {
    case 'Add': return infix(number(w, left, LEVEL.sum), '+', number(w, right, LEVEL.sum + 1))
    case 'Sub': return infix(number(w, left, LEVEL.sum), '-', number(w, right, LEVEL.sum + 1))
    case 'Mult': return whole && growsOn(w, node) ? exact(product('*')) : product('*')
    case 'Div': return notZero ? product('/') : call('divide')
    case 'FloorDiv': return notZero ? tight(`Math.floor(${product('/').text})`) : call('floorDivide')
    case 'Mod': return notZero && a.only('nat') && b.only('nat') ? product('%') : call('modulo')
    case 'Pow': {
      if (a.only('nat', 'int', 'bool') && b.only('nat', 'int', 'bool') && !b.only('nat', 'bool')) return w.problem(node, 'a whole number to a power that may be negative')
      const power = infix(number(w, left, LEVEL.unary + 1), '**', number(w, right, LEVEL.power))
      return whole ? exact(power) : power
    }
    case 'LShift': return exact(shifted('*'))
    case 'RShift': return tight(`Math.floor(${shifted('/').text})`)
    case 'BitAnd': case 'BitOr': case 'BitXor': return bitwise(w, node, op, a, b)
    default: return w.problem(node, 'this operator of these values')
  }
}

const BITS = { BitAnd: ['&', 'bitAnd'], BitOr: ['|', 'bitOr'], BitXor: ['^', 'bitXor'] } as const
/** The largest number without a sign in the 32 bits that JavaScript has. */
const LARGEST = 0x7fffffff

function bitwise(w: Writer, { left, right }: BinOp, kind: keyof typeof BITS, a: Type, b: Type): Code {
  const [sign, helper] = BITS[kind]
  const sides = [number(w, left, LEVEL.unary), number(w, right, LEVEL.unary)]
  if (a.only('bool') && b.only('bool')) return tight(`${w.global('Boolean')}(${sides.join(` ${sign} `)})`)
  // A mask takes the lower bits of any number, which are the same in JavaScript.
  const isMask = (node: Expression): boolean => node.type === 'Constant' && Number(node.value) <= LARGEST
  if (kind === 'BitAnd' && (isMask(left) || isMask(right))) return { text: sides.join(' & '), level: LEVEL.bitAnd }
  return tight(`${w.python(helper)}(${number(w, left, 0)}, ${number(w, right, 0)})`)
}

/** Whether a product may grow and grow: one side is what it is assigned to, or what a call of its own function gives. */
function growsOn(w: Writer, node: BinOp): boolean {
  const routine = w.routines.findLast((one) => one.node.type !== 'Lambda')
  const own = routine === undefined || routine.node.type === 'Lambda' ? '' : routine.node.name
  return [...everyExpression(node.left), ...everyExpression(node.right)].some((inner) => (inner.type === 'Call' && dotted(inner.func) === own) || (inner.type === 'Name' && w.assigning.has(inner.id)))
}
