// Loops, and what leaves them.
import { LEVEL } from '../code.ts'
import { breaks, has } from '../flow.ts'
import { everyExpression, everyStatement, type Expression, type For, type Plain, type Statement, type While } from '../tree.ts'
import { assignsAttribute } from './classes.ts'
import type { Declared, StatementWriter } from './statement-writer.ts'
import { pattern } from './targets.ts'

export function jump(s: StatementWriter, node: Plain): void {
  const loop = s.loops.at(-1)
  const word = node.type.toLowerCase()
  if (loop === undefined) s.problem(node, `${word} outside a loop`)
  else if (loop.bodies < s.bodies) s.put(`return '${word}'`)
  else s.put(node.type === 'Break' && loop.label !== null ? `break ${loop.label}` : word)
}

export function whileLoop(s: StatementWriter, statement: While): void {
  const { test } = statement
  const isEndless = test.type === 'Constant' && (test.value === true || test.value === '1')
  looped(s, statement, () => isEndless ? 'for (;;) {' : `while (${s.w.test(test).text}) {`)
}

export function forLoop(s: StatementWriter, statement: For): void {
  const { target, iter } = statement
  const own = s.declare(statement, target)
  looped(s, statement, () => counting(s, statement, own) ?? `for (${declaration(own)}${pattern(s.w, target)} of ${s.w.iterable(iter).text}) {`)
}

const declaration = (own: Declared): string => own === null ? '' : `${own} `

export function asyncFor(s: StatementWriter, statement: For): void {
  const { target, iter, body } = statement
  const { w } = s
  const type = w.typeOf(iter)
  if (!type.only('stream')) {
    s.problem(statement, 'async for over something other than an asynchronous generator')
    return
  }
  const [stream] = type.of('stream')
  const routine = [...w.program.routines.values()].find(({ yields }) => yields === stream?.elem)
  if (routine !== undefined && (breaks(body) || has(body, 'Return')) && has(routine.body, 'Try', 'TryStar', 'With', 'AsyncWith')) {
    s.problem(statement, 'leaving an asynchronous generator that has something to clean up')
    return
  }
  const own = s.declare(statement, target)
  const source = iter.type === 'Name' ? s.code(iter) : 'items'
  if (iter.type !== 'Name') s.put(`const items = ${s.code(iter)}`)
  const next = `yield* ${w.python('next')}(${source})`
  looped(s, statement, () => `for (let step = ${next}; step.done !== true; step = ${next}) {`, () => `${declaration(own)}${pattern(w, target)} = step.value`)
}

/** A loop, in a block of its own if it has an `else`, which a `break` jumps over. */
function looped(s: StatementWriter, { body, orelse }: For | While, head: () => string, first: () => string | null = () => null): void {
  const label = orelse.length > 0 && breaks(body) ? 'search' : null
  const write = (): void => {
    s.put(head())
    s.loops.push({ label, bodies: s.bodies })
    const at = s.lines.length
    const begin = first()
    if (begin !== null) s.put(`  ${begin}`)
    s.inner(body)
    s.loops.pop()
    s.close(at)
    s.block(orelse)
  }
  if (label === null) write()
  else s.braced(`${label}: `, write)
}

/** `for i in range(n)`, if nothing in the loop changes `i` or `n`. */
function counting(s: StatementWriter, { target, iter, body }: For, own: Declared): string | null {
  if (own !== 'const' || target.type !== 'Name' || !s.w.isCallOf(iter, 'builtins.range')) return null
  const { args } = iter
  const variable = s.w.program.variables.get(target)
  if (variable === undefined || variable.occurrences.some(({ captured }) => captured) || args.some(({ type }) => type === 'Starred')) return null
  const [start, stop, step = null] = args.length === 1 ? [null, args[0]] : args
  if (start === undefined || stop === undefined || !staysTheSame(s, stop, body)) return null
  const down = step?.type === 'UnaryOp' && step.op === 'USub'
  const size = step !== null && down ? (step as Expression & { type: 'UnaryOp' }).operand : step
  if (size !== null && size.type !== 'Constant') return null
  const count = size === null ? '1' : s.code(size)
  const { code } = variable
  const move = count === '1' ? `${code}${down ? '--' : '++'}` : `${code} ${down ? '-=' : '+='} ${count}`
  return `for (let ${code} = ${start === null ? '0' : s.code(start)}; ${code} ${down ? '>' : '<'} ${s.code(stop, LEVEL.relation + 1)}; ${move}) {`
}

/** Whether an expression has the same value in every round of a loop. */
function staysTheSame(s: StatementWriter, node: Expression, body: readonly Statement[]): boolean {
  const { program, infer } = s.w
  const written = new Set<string>()
  for (const statement of everyStatement(body)) {
    const targets = statement.type === 'Assign' ? statement.targets : statement.type === 'AugAssign' || statement.type === 'AnnAssign' || statement.type === 'For' ? [statement.target] : []
    for (const target of targets) for (const inner of everyExpression(target)) if (inner.type === 'Name') written.add(inner.id)
  }
  /** Whether only constructors assign an attribute. */
  const isFixed = (name: string): boolean => [...program.routines.values()].every((routine) => (routine.node.type !== 'Lambda' && routine.node.name === '__init__') || ![...everyStatement(routine.body)].some((one) => assignsAttribute(one, name)))
  return [...everyExpression(node)].every((inner) => {
    switch (inner.type) {
      case 'Name': {
        const variable = program.variables.get(inner)
        return !written.has(inner.id) && (variable === undefined || variable.kind === 'parameter' || variable.writes <= 1)
      }
      case 'Attribute': return infer.typeOf(inner.value).has('instance') && isFixed(inner.attr)
      case 'Constant': case 'BinOp': return true
      default: return false
    }
  })
}
