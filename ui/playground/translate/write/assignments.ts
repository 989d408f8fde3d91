// Assignments: declarations where TypeScript wants them, unpacking, and items of containers.
import { LEVEL } from '../code.ts'
import { binary } from '../infer/operations.ts'
import { targetsOf } from '../scopes.ts'
import { at, isNone, type AnnAssign, type Assign, type At, type Attribute, type AugAssign, type BinOp, type Expression, type Name, type Sequence, type Subscript } from '../tree.ts'
import { OBVIOUS } from '../typescript-types.ts'
import type { Declared, StatementWriter } from './statement-writer.ts'
import { isUnused, pattern } from './targets.ts'

export function assign(s: StatementWriter, statement: Assign): void {
  const { targets, value } = statement
  const { w } = s
  const [target, ...others] = targets
  if (target === undefined) return
  w.assigning.clear()
  const names = targets.flatMap(targetsOf)
  for (const { id } of names) w.assigning.add(id)
  const before = w.problems.length
  if (value.type === 'Yield') s.problem(statement, 'a value that is sent into a generator')
  else if (others.length > 0) assignToAll(s, statement)
  else if (value.type === 'Await' && w.isCallOf(value.value, 'asyncio.wait')) assignSets(s, statement, target)
  else assignTo(s, statement, target, value)
  w.assigning.clear()
  if (w.problems.length === before) return
  for (const name of names) {
    const variable = w.program.variables.get(name)
    if (variable !== undefined) w.lost.add(variable)
  }
}

/** `done, pending = await asyncio.wait(…)`: two sets by their names. */
function assignSets(s: StatementWriter, statement: Assign, target: Expression): void {
  if (target.type !== 'Tuple' || target.elts.length !== 2) {
    s.problem(statement, 'the result of wait, except as done, pending = …')
    return
  }
  const own = s.declare(statement, target)
  const parts = (['done', 'pending'] as const).flatMap((name, i) => {
    const elt = target.elts[i] as Expression
    if (elt.type === 'Name' && elt.id === '_') return []
    const code = s.code(elt)
    return [code === name ? name : `${name}: ${code}`]
  })
  const text = `{ ${parts.join(', ')} } = ${s.w.during('takesSets', true, () => s.code(statement.value))}`
  s.put(own === null ? `;(${text})` : `${own} ${text}`)
}

/** `a = b = value` */
function assignToAll(s: StatementWriter, { targets, value }: Assign): void {
  const isSimple = value.type === 'Constant' || value.type === 'Name'
  if (!isSimple) s.put(`const value = ${s.code(value)}`)
  for (const target of targets) {
    if (target.type === 'Name' || target.type === 'Attribute') s.put(`${s.code(target)} = ${isSimple ? s.code(value) : 'value'}`)
    else s.problem(target, 'this target of several')
  }
}

function assignTo(s: StatementWriter, statement: Assign | AnnAssign, target: Expression, value: Expression): void {
  switch (target.type) {
    case 'Name': assignVariable(s, statement, target, value); return
    case 'Tuple': case 'List': unpack(s, statement, target, value); return
    case 'Attribute': s.put(`${attributeTarget(s, target)} = ${s.code(value)}`); return
    case 'Subscript': setItem(s, target, s.code(value)); return
    default: s.problem(statement, 'this assignment')
  }
}

function assignVariable(s: StatementWriter, statement: Assign | AnnAssign, target: Name, value: Expression): void {
  const own = s.own(statement, target)
  const variable = s.w.program.variables.get(target)
  if (own === null || variable === undefined) {
    s.put(`${s.code(target)} = ${s.code(value)}`)
    return
  }
  const { code, type, occurrences } = variable
  const text = s.w.ts(type)
  // TypeScript would take it for null until the end, because it does not see what functions assign.
  if (own === 'let' && isNone(value) && occurrences.some(({ captured, write }) => captured && write)) s.put(`let ${code} = null as ${text}`)
  else s.put(`${own} ${code}${needsType(s, own, value, text) ? `: ${text}` : ''} = ${s.code(value)}`)
}

/** Whether TypeScript would make too little of the first value. */
function needsType(s: StatementWriter, own: 'const' | 'let', value: Expression, text: string): boolean {
  if (text === 'any') return ['List', 'Dict', 'Set'].includes(value.type)
  if (value.type === 'List' && value.elts.length === 0) return true
  if (value.type === 'List' || value.type === 'ListComp') return /[|[]/.test(text.replace(/\[\]$/, '')) || text.startsWith('(')
  if (value.type === 'Tuple') return true
  if (value.type === 'Call' && s.w.typeOf(value).has('deque', 'list') && value.args.length === 0) return true
  return own === 'let' && (!OBVIOUS.has(text) || isNone(value))
}

function unpack(s: StatementWriter, statement: Assign | AnnAssign, target: Sequence, value: Expression): void {
  const { w } = s
  const isPlace = (elt: Expression): boolean => ['Name', 'Starred', 'Tuple', 'Attribute'].includes(elt.type)
    || (elt.type === 'Subscript' && w.typeOf(elt.value).only('list') && w.typeOf(elt.slice).only('nat'))
  if (!target.elts.every(isPlace)) {
    s.problem(statement, 'unpacking into something other than variables')
    return
  }
  const own = s.declare(statement, target)
  const star = target.elts.findIndex((elt) => elt.type === 'Starred')
  if (star >= 0 && star < target.elts.length - 1) unpackStar(s, statement, target.elts, star, value, own)
  else if (own !== null) s.put(`${own} ${pattern(w, target)} = ${unpacked(s, value)}`)
  else s.put(`;${places(s, target)} = ${unpacked(s, value)}`)
}

function unpacked(s: StatementWriter, value: Expression): string {
  const { w } = s
  if (w.typeOf(value).unknown) return w.unknown(value, 'it is not known what is unpacked here').text
  if (value.type !== 'Tuple') return w.present(value)
  // `a, b = b, a + b` grows without end.
  const grows = value.elts.some((elt) => elt.type === 'BinOp' && elt.op === 'Add' && elt.left.type === 'Name' && elt.right.type === 'Name' && w.typeOf(elt).only('nat', 'int'))
  if (!grows) return s.code(value)
  return `[${value.elts.map((elt) => elt.type === 'BinOp' ? `${w.python('exact')}(${s.code(elt)})` : s.code(elt)).join(', ')}]`
}

/** The left side of an assignment to variables and other places. */
function places(s: StatementWriter, target: Expression): string {
  switch (target.type) {
    case 'Tuple': case 'List': return `[${target.elts.map((elt) => places(s, elt)).join(', ')}]`
    case 'Subscript': return `${s.code(target.value, LEVEL.call)}[${s.code(target.slice)}]`
    case 'Starred': return `...${places(s, target.value)}`
    case 'Attribute': return attributeTarget(s, target)
    default: return pattern(s.w, target)
  }
}

/** `*first, last = items`: a star that is not the last. */
function unpackStar(s: StatementWriter, statement: At, targets: Expression[], star: number, value: Expression, own: Declared): void {
  const { w } = s
  const tuples = w.typeOf(value).of('tuple')
  const size = tuples[0]?.elems.length
  const after = targets.length - star - 1
  if (isUnused(w, targets[star] as Expression) && size !== undefined && tuples.every(({ elems }) => elems.length === size) && own !== null) {
    const before = targets.slice(0, star).map((target) => pattern(w, target))
    const gap = new Array<string>(size - star - after).fill('')
    s.put(`${own} [${[...before, ...gap, ...targets.slice(star + 1).map((target) => pattern(w, target))].join(', ')}] = ${s.code(value)}`)
    return
  }
  if (own === null || value.type !== 'Name') {
    s.problem(statement, 'a star that is not the last: take the items one by one')
    return
  }
  const items = s.code(value)
  for (const [i, target] of targets.entries()) {
    if (isUnused(w, target)) continue
    if (target.type === 'Starred') s.put(`${own} ${pattern(w, target.value)} = ${items}.slice(${star}, -${after})`)
    else s.put(`${own} ${pattern(w, target)} = ${w.python('item')}(${items}, ${i < star ? i : i - targets.length})`)
  }
}

function attributeTarget(s: StatementWriter, target: Attribute): string {
  if (!s.w.typeOf(target.value).has('instance', 'class')) return s.w.problem(target, `an attribute of '${target.attr}' of what is not known`).text
  return s.code(target)
}

function setItem(s: StatementWriter, target: Subscript, value: string): void {
  const { w } = s
  const { value: on, slice } = target
  const type = w.typeOf(on).without('none')
  if (slice.type === 'Slice') s.problem(target, 'an assignment to a slice')
  else if (type.only('dict')) s.put(`${w.present(on, LEVEL.call)}.set(${s.code(slice)}, ${value})`)
  else if (type.only('list', 'deque')) s.put(`${w.python('setItem')}(${w.present(on)}, ${s.code(slice)}, ${value})`)
  else s.problem(target, 'an assignment to an item of this')
}

export function annotated(s: StatementWriter, statement: AnnAssign): void {
  if (statement.value !== null) assignTo(s, statement, statement.target, statement.value)
}

export function augmented(s: StatementWriter, statement: AugAssign): void {
  const { target, op, value } = statement
  const { w } = s
  if (op === 'Add' && w.typeOf(target).only('list', 'deque')) {
    s.put(`${s.code(target)}.push(...${w.iterable(value).text})`)
    return
  }
  const whole: BinOp = { ...at(statement), type: 'BinOp', left: target, op, right: value }
  w.infer.types.set(whole, binary(w.infer, whole, op, w.typeOf(target), w.typeOf(value)))
  w.assigning.clear()
  if (target.type === 'Name') w.assigning.add(target.id)
  const code = s.code(whole)
  w.assigning.clear()
  if (target.type === 'Subscript' && target.slice.type !== 'Slice') {
    setItem(s, target, code)
    return
  }
  const left = target.type === 'Attribute' ? attributeTarget(s, target) : s.code(target)
  const sign = { Add: '+', Sub: '-', Mult: '*', Div: '/' }[op as 'Add'] as string | undefined
  const isShort = sign !== undefined && code.startsWith(`${left} ${sign} `) && !code.startsWith(`${left} ${sign} -`)
  if (!isShort) s.put(`${left} = ${code}`)
  else s.put(`${left} ${sign}= ${w.typeOf(value).has('bool') ? `Number(${s.code(value)})` : w.present(value)}`)
}
