// `with`: locks as guards that a block releases, scopes whose body is a function, and objects with methods for it.
import { findMethod } from '../class-members.ts'
import { LEVEL, tight } from '../code.ts'
import { fallsThrough, has, jumpsIn, returnsValue } from '../flow.ts'
import { camelCase } from '../names.ts'
import { parametersOf, type ClassInfo } from '../scopes.ts'
import { at, everyStatement, type Call, type Expression, type Statement, type With, type WithItem } from '../tree.ts'
import type { Of } from '../types.ts'
import type { StatementWriter } from './statement-writer.ts'
import { pattern } from './targets.ts'

const LOCKS = new Set(['Lock', 'Semaphore', 'Condition'])

/** One item of a `with`. */
interface Entered {
  statement: With
  item: WithItem
  /** Writes the other items, and the body. */
  rest: () => void
}

export function writeWith(s: StatementWriter, statement: With, index = 0): void {
  const item = statement.items[index]
  if (item === undefined) {
    s.block(statement.body)
    return
  }
  const { w } = s
  const { context_expr: value } = item
  const [first] = w.typeOf(value).without('none').atoms
  const entered: Entered = { statement, item, rest: () => writeWith(s, statement, index + 1) }
  const object = first?.kind === 'object' ? first.name : ''
  // The end of a block releases a lock: the last statement needs no block of its own.
  if (LOCKS.has(object)) guard(s, entered, index > 0 || s.lastInBlock === statement)
  else if (object === 'Barrier') scope(s, entered, `${w.present(value, LEVEL.call)}.with(`)
  else if (object === 'Timeout' || object === 'TaskGroup') timeoutOrGroup(s, entered)
  else if (first?.kind === 'context') contextManager(s, entered, first)
  else if (object === 'suppress' && value.type === 'Call') suppress(s, entered, value)
  else if (first?.kind === 'instance') managed(s, entered, first.cls)
  else s.problem(value, `with ${w.typeOf(value).unknown ? 'something that is not known' : 'this'}`)
}

function guard(s: StatementWriter, { item, rest }: Entered, isLast: boolean): void {
  const name = `held${s.guards === 0 ? '' : s.guards + 1}`
  const write = (): void => {
    s.put(`using ${name} = yield* ${s.w.present(item.context_expr, LEVEL.call)}.guard()`)
    s.guards++
    rest()
    s.guards--
  }
  if (isLast && s.indent !== '') write()
  else s.braced('', write)
}

function timeoutOrGroup(s: StatementWriter, entered: Entered): void {
  const { context_expr: value } = entered.item
  const path = value.type === 'Call' ? s.w.pathOf(value.func) : null
  if (value.type !== 'Call' || path === null) {
    s.problem(value, 'a timeout or a TaskGroup that is made elsewhere')
    return
  }
  const name = camelCase(path.slice(path.lastIndexOf('.') + 1)).replace(/^TaskGroup$/, 'taskGroup')
  const given = value.args[0] ?? value.keywords[0]?.value
  scope(s, entered, `${s.w.use(name)}(${given === undefined ? '' : `${s.code(given)}, `}`)
}

function contextManager(s: StatementWriter, entered: Entered, context: Of<'context'>): void {
  const { context_expr: value } = entered.item
  if (!s.w.insideCoroutine) {
    s.problem(value, 'a context manager outside a coroutine')
    return
  }
  const call = s.code(value, LEVEL.call).replace(/\)$/, '')
  const manager = [...s.w.program.routines.values()].find(({ yields }) => yields === context.result)
  const takesErrors = manager !== undefined && [...everyStatement(manager.body)].some((one) => one.type === 'Try' && one.handlers.some((handler) => fallsThrough(handler.body)))
  scope(s, entered, `${call}${call.endsWith('(') ? '' : ', '}${leftOut(s, value)}`, takesErrors)
}

/** Arguments that were left out, before the body. */
function leftOut(s: StatementWriter, value: Expression): string {
  const [atom] = value.type === 'Call' ? s.w.typeOf(value.func).of('routine') : []
  if (atom === undefined) return ''
  const { args, keywords } = value as Call
  const wanted = parametersOf(atom.routine.node).length - (atom.self === null ? 0 : 1)
  return 'undefined, '.repeat(Math.max(0, wanted - args.length - keywords.length))
}

function suppress(s: StatementWriter, { rest }: Entered, value: Call): void {
  s.put('try {')
  s.indented(rest)
  s.put('} catch (error) {')
  s.put(`  if (!(${s.w.instanceOf(tight('error'), { ...at(value), type: 'Tuple', elts: value.args }).text})) throw error`)
  s.put('}')
}

/** A scope whose body is a function: what leaves the body early is passed on behind it. `takesErrors`: a manager that goes on behind it. */
function scope(s: StatementWriter, { statement, item, rest }: Entered, head: string, takesErrors = false): void {
  const { w } = s
  const { body } = statement
  const returns = has(body, 'Return')
  const jumps = jumpsIn(body)
  if (returns && jumps.size > 0) {
    s.problem(statement, 'a body that returns and also leaves a loop')
    return
  }
  const isWhole = returns && !fallsThrough(body) && !takesErrors
  const result = `result${s.bodies === 0 ? '' : s.bodies + 1}`
  const lead = isWhole ? 'return ' : returns || jumps.size > 0 ? `const ${result} = ` : ''
  const { parameter, assigned } = scopeTarget(s, statement, item.optional_vars)
  s.put(`${lead}yield* ${head}function* (${parameter}) {`)
  if (assigned !== null) s.put(`  ${assigned} = scope`)
  w.depth++
  s.bodies++
  s.indented(rest)
  s.bodies--
  w.depth--
  s.put('})')
  if (isWhole) return
  if (returns) {
    const isVoid = s.routine !== undefined && !returnsValue(s.routine.body) && s.bodies === 0
    s.put(`if (${result} !== undefined) return${isVoid ? '' : ` ${result}`}`)
  }
  for (const jump of jumps) s.put(`if (${result} === '${jump}') ${s.loops.at(-1)?.bodies === s.bodies ? jump : `return '${jump}'`}`)
}

/** What the body's function is given, and a variable of another block that gets it. */
function scopeTarget(s: StatementWriter, statement: Statement, target: Expression | null): { parameter: string; assigned: string | null } {
  if (target === null) return { parameter: '', assigned: null }
  if (target.type !== 'Name') {
    s.problem(target, 'a target like this')
    return { parameter: '', assigned: null }
  }
  return s.own(statement, target) === null ? { parameter: 'scope', assigned: s.code(target) } : { parameter: s.code(target), assigned: null }
}

/** An object with __aenter__ and __aexit__. */
function managed(s: StatementWriter, { statement, item, rest }: Entered, cls: ClassInfo): void {
  const { w } = s
  const { context_expr: value, optional_vars: target } = item
  const [enter, exit] = [findMethod(cls, '__aenter__', '__enter__'), findMethod(cls, '__aexit__', '__exit__')]
  if (enter === null || exit === null) {
    s.problem(value, 'an object without __enter__ and __exit__')
    return
  }
  if (exit.returns.has('bool') && [...everyStatement(exit.body)].some((one) => one.type === 'Return' && one.value !== null && !(one.value.type === 'Constant' && one.value.value === false))) {
    s.problem(value, 'an __exit__ that takes errors away')
    return
  }
  const call = (isAsync: boolean, method: string, args: string): string => `${isAsync ? 'yield* ' : ''}${value.type === 'Name' ? s.code(value) : 'manager'}.${method}(${args})`
  const errors = parametersOf(exit.node).slice(1).map(({ arg }) => exit.scope.own(arg))
  const usesErrors = errors.some(({ occurrences }) => occurrences.length > 0)
  s.braced('', () => {
    if (value.type !== 'Name') s.put(`const manager = ${s.code(value)}`)
    const own = target === null ? null : s.own(statement, target)
    const into = target === null ? '' : `${own === null ? '' : `${own} `}${pattern(w, target)} = `
    s.put(`${into}${call(enter.isAsync, 'enter', '')}`)
    if (usesErrors) s.put('let failure: unknown = null')
    s.put('try {')
    s.indented(rest)
    if (usesErrors) {
      s.put('} catch (error) {')
      s.put('  failure = error')
      s.put('  throw error')
    }
    s.put('} finally {')
    s.put(`  ${call(exit.isAsync, 'exit', usesErrors ? '(failure as Error | null)?.constructor ?? null, failure, null' : errors.map(() => 'null').join(', '))}`)
    s.put('}')
  })
}
