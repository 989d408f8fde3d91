// Functions and methods, and the generators that are context managers: their body is given to them as a function.
import { LEVEL } from '../code.ts'
import { fallsThrough, returnsValue } from '../flow.ts'
import { dotted, type Routine, type Variable } from '../scopes.ts'
import { expressionsIn, isDocstring, isNone, type Argument, type Expression, type FunctionDef, type Statement, type Yield } from '../tree.ts'
import { elementsOf } from '../types.ts'
import { arrayOf, OBVIOUS, resultOf } from '../typescript-types.ts'
import type { StatementWriter } from './statement-writer.ts'

export function writeFunction(s: StatementWriter, node: FunctionDef): void {
  const { program } = s.w
  const routine = program.routines.get(node) as Routine
  const { scope, name, code } = program.variables.get(node) as Variable
  writeDocstring(s, node.body)
  const decorators = node.decorator_list.filter((decorator) => !/(^|\.)(asynccontextmanager|contextmanager|wraps)$/.test(dotted(decorator)))
  const head = `function${routine.isAsync || routine.isGenerator ? '*' : ''} ${code}`
  if (decorators.length > 0) {
    const wrapped = decorators.map((decorator) => `${s.code(decorator, LEVEL.call)}(`).join('')
    writeRoutine(s, routine, `const ${code} = ${wrapped}${head}`, ')'.repeat(decorators.length))
  } else writeRoutine(s, routine, s.exported && scope === program.module && name === 'main' ? `export ${head}` : head)
}

export function writeDocstring(s: StatementWriter, [first]: readonly Statement[]): void {
  if (first?.type === 'Expr' && first.value.type === 'Constant' && isDocstring(first)) s.documentation(String(first.value.value))
}

/** A method, which has a `this` of its own. */
export function writeMethod(s: StatementWriter, routine: Routine, head: string): void {
  const { w } = s
  const outer = { depth: w.depth, usesSelf: w.usesSelf }
  // The function's body is not deeper than the method.
  w.depth = -1
  w.usesSelf = false
  const at = s.lines.length
  writeRoutine(s, routine, head, '', true)
  if (w.usesSelf) s.insert(at + 1, '  const self = this', routine.node.line)
  w.depth = outer.depth
  w.usesSelf = outer.usesSelf
}

function writeRoutine(s: StatementWriter, routine: Routine, head: string, tail = '', bound = false): void {
  const { w } = s
  const { body, isContext, isGenerator, node } = routine
  const outer = { bodies: s.bodies, loops: s.loops, caught: w.caught.splice(0) }
  w.routines.push(routine)
  w.depth++
  s.bodies = 0
  s.loops = []
  s.put(`${isContext ? contextHead(s, routine, head, bound) : plainHead(s, routine, head, bound)} {`)
  if (body[0] !== undefined && body[0].line !== node.line) s.commentBehind(node.line)
  s.indented(() => {
    s.declareFirst(routine.scope)
    const hasResult = isContext && !yieldsLast(body)
    if (hasResult) s.put('let result!: T')
    s.block(body)
    if (hasResult) s.put('return result')
    if (!isGenerator && fallsThrough(body) && returnsValue(body)) s.put('return null')
  })
  s.put(`}${tail}`)
  w.routines.pop()
  w.depth--
  s.bodies = outer.bodies
  s.loops = outer.loops
  w.caught.push(...outer.caught)
}

function plainHead(s: StatementWriter, routine: Routine, head: string, bound: boolean): string {
  const isTyped = head !== 'constructor' && !head.startsWith('set ')
  return `${head}(${parameters(s, routine, bound).join(', ')})${isTyped ? `: ${resultText(s, routine)}` : ''}`
}

function contextHead(s: StatementWriter, routine: Routine, head: string, bound: boolean): string {
  const { w } = s
  const value = routine.yields.only('none') ? '' : `value: ${w.ts(routine.yields)}`
  const all = [...parameters(s, routine, bound), `body: (${value}) => ${w.use('Coroutine')}<T>`]
  return `${head.replace(/function (?=\w)/, 'function* ')}<T>(${all.join(', ')}): ${w.use('Coroutine')}<T>`
}

function parameters(s: StatementWriter, routine: Routine, bound: boolean): string[] {
  const { w } = s
  const { args } = routine.node
  const positional = [...args.posonlyargs, ...args.args]
  const texts: string[] = []
  for (const [i, argument] of positional.entries()) {
    if (!bound || i > 0) texts.push(parameter(s, routine, argument, args.defaults[i - (positional.length - args.defaults.length)]))
  }
  for (const [i, argument] of args.kwonlyargs.entries()) texts.push(parameter(s, routine, argument, args.kw_defaults[i]))
  if (args.vararg !== null) {
    const { code, type } = routine.scope.own(args.vararg.arg)
    const elem = elementsOf(type)
    texts.push(`...${code}: ${elem.unknown ? 'any[]' : arrayOf(w.ts(elem))}`)
  }
  if (args.kwarg !== null && !isOnlyPassed(routine, args.kwarg.arg)) w.problem(args.kwarg, '** parameters, unless they are only passed on')
  return texts
}

function parameter(s: StatementWriter, routine: Routine, { arg }: Argument, fallback: Expression | null = null): string {
  const { w } = s
  const variable = routine.scope.own(arg)
  const type = w.variableType(variable)
  if (fallback === null) return `${variable.code}: ${type}`
  if (['List', 'Dict', 'Set', 'Call'].includes(fallback.type)) w.problem(fallback, 'a default value that all calls share')
  const isObvious = fallback.type === 'Constant' && OBVIOUS.has(type) && !isNone(fallback)
  return `${variable.code}${isObvious ? '' : `: ${type}`} = ${s.code(fallback)}`
}

/** Whether a function's `**kwargs` are used for nothing but calls with `**kwargs`. */
function isOnlyPassed({ body }: Routine, name: string): boolean {
  let uses = 0
  let passes = 0
  for (const inner of expressionsIn(body)) {
    if (inner.type === 'Name' && inner.id === name) uses++
    if (inner.type === 'Call') passes += inner.keywords.filter(({ arg, value }) => arg === null && value.type === 'Name' && value.id === name).length
  }
  return uses === passes
}

function resultText(s: StatementWriter, routine: Routine): string {
  const { w } = s
  const { isAsync, isGenerator, returns, yields, body } = routine
  if (isGenerator && !isAsync) return `Generator<${w.ts(yields)}, void>`
  if (isGenerator || returns.atoms.size > 0) return w.ts(resultOf(routine))
  const result = returnsValue(body) ? 'any' : 'never'
  return isAsync ? `${w.use('Coroutine')}<${result}>` : result
}

/** Whether the yield of a context manager is the last thing that it does, but for clauses around it. */
function yieldsLast(body: readonly Statement[]): boolean {
  const last = body.at(-1)
  if (last?.type === 'Expr' && last.value.type === 'Yield') return true
  if (last?.type === 'Try') return yieldsLast(last.body) && last.orelse.length === 0
  return (last?.type === 'With' || last?.type === 'AsyncWith') && yieldsLast(last.body)
}

/** The `yield value` of a context manager; false where it is another function's. */
export function contextBody(s: StatementWriter, node: Yield): boolean {
  const { routine } = s
  if (routine?.isContext !== true) return false
  s.put(`${yieldsLast(routine.body) ? 'return' : 'result ='} yield* body(${node.value === null ? '' : s.code(node.value)})`)
  return true
}
