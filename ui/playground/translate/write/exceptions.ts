// try and raise: `except` clauses as tests in one `catch`.
import { findMethod } from '../class-members.ts'
import { LEVEL, tight } from '../code.ts'
import { fallsThrough, has, jumpsIn, raisesAgain } from '../flow.ts'
import { expressionsIn, expressionsOf, everyExpression, everyStatement, isNone, type Expression, type Handler, type Raise, type Try } from '../tree.ts'
import type { StatementWriter } from './statement-writer.ts'

export function writeTry(s: StatementWriter, statement: Try): void {
  const { orelse, finalbody } = statement
  if (orelse.length === 0 || finalbody.length === 0) {
    protectedBody(s, statement, finalbody)
    return
  }
  // What `else` does is not protected by the handlers, but by `finally`.
  s.put('try {')
  s.indented(() => protectedBody(s, statement, []))
  s.put('} finally {')
  s.inner(finalbody)
  s.put('}')
}

function protectedBody(s: StatementWriter, statement: Try, finalbody: Try['finalbody']): void {
  const { body, handlers, orelse } = statement
  /** Whether control comes behind the statement only if nothing failed. */
  const sure = handlers.every((handler) => !fallsThrough(handler.body))
  const flagged = orelse.length > 0 && !sure
  if (flagged) s.put('let failed = true')
  s.put('try {')
  s.inner(body)
  if (flagged) s.put('  failed = false')
  if (handlers.length > 0) writeHandlers(s, statement)
  if (finalbody.length > 0) {
    s.put('} finally {')
    s.inner(finalbody)
  }
  s.put('}')
  if (flagged) s.braced('if (!failed) ', () => s.block(orelse))
  else s.block(orelse)
}

function writeHandlers(s: StatementWriter, statement: Try): void {
  const { w } = s
  const { handlers } = statement
  const named = handlers.find(({ name }) => name !== null)
  // A variable of that name would be hidden.
  const free = ['error', 'thrown', 'problem'].find((one) => s.scope.find(one) === null || handlers.some((handler) => handler.name === one)) ?? 'error_'
  const name = named === undefined ? free : w.program.variables.get(named)?.code ?? free
  for (const handler of handlers) rename(s, handler, name)
  if (statement.type === 'TryStar') {
    writeGroups(s, handlers, name)
    return
  }
  const [only] = handlers
  const used = handlers.length > 1 || handlers.some((handler) => handler.name !== null || raisesAgain(handler.body)) || (only !== undefined && !catchesAll(s, only))
  s.from = only?.line ?? s.from
  s.put(used ? `} catch (${name}) {` : '} catch {')
  w.caught.push(name)
  s.indented(() => {
    if (handlers.length > 1) writeClauses(s, handlers, name)
    else if (only !== undefined) {
      if (isClass(s, only, 'Exception')) s.put(`${w.use('rethrowCancelled')}(${name})`)
      else if (only.of !== null && !catchesAll(s, only)) s.put(`if (!(${w.instanceOf(tight(name), only.of).text})) throw ${name}`)
      handle(s, only, name)
    }
  })
  w.caught.pop()
}

function writeClauses(s: StatementWriter, handlers: Handler[], name: string): void {
  const end = handlers.findIndex((handler) => catchesAll(s, handler))
  for (const [i, handler] of handlers.slice(0, end < 0 ? undefined : end + 1).entries()) {
    s.from = handler.line
    s.commentsBefore(handler.line)
    const test = i === end || handler.of === null ? '' : `if (${s.w.instanceOf(tight(name), handler.of).text}) `
    s.put(`${i === 0 ? '' : '} else '}${test}{`)
    s.indented(() => handle(s, handler, name))
  }
  s.put(end < 0 ? `} else throw ${name}` : '}')
}

function rename(s: StatementWriter, handler: Handler, name: string): void {
  const variable = s.w.program.variables.get(handler)
  if (variable !== undefined) variable.code = name
}

function isClass(s: StatementWriter, { of }: Handler, ...wanted: string[]): boolean {
  return of !== null && of.type !== 'Tuple' && s.w.typeOf(of).of('errorClass').some(({ name }) => wanted.includes(name))
}

function catchesAll(s: StatementWriter, handler: Handler): boolean {
  return handler.of === null || isClass(s, handler, 'BaseException')
}

function handle(s: StatementWriter, handler: Handler, name: string): void {
  const isAny = handler.of === null || s.w.typeOf(handler.of).of('errorClass').some((atom) => ['Exception', 'BaseException'].includes(atom.name))
  if (isAny && s.w.program.variables.has(handler) && needsError(handler)) s.put(`if (!(${name} instanceof Error)) throw ${name}`)
  s.block(handler.body)
}

/** Whether a clause uses what it has caught for more than printing it and throwing it again, for which TypeScript wants to know that it is an error. */
function needsError(handler: Handler): boolean {
  const printed = new Set<Expression>()
  for (const part of expressionsIn(handler.body)) {
    if (part.type === 'FormattedValue') printed.add(part.value)
    if (part.type === 'Call' && part.func.type === 'Name' && ['print', 'str', 'repr', 'isinstance', 'type'].includes(part.func.id)) for (const arg of part.args) printed.add(arg)
  }
  return [...everyStatement(handler.body)].some((statement) => statement.type !== 'Raise' && expressionsOf(statement).some((expression) =>
    [...everyExpression(expression)].some((part) => part.type === 'Name' && part.id === handler.name && !printed.has(part))))
}

/** `except*`: each clause takes its part of the group, and what is left is thrown. */
function writeGroups(s: StatementWriter, handlers: Handler[], name: string): void {
  const { w } = s
  const thrown = s.scope.find('error') === null && name !== 'error' ? 'error' : 'thrown'
  const group = name === 'error' ? 'group' : name
  s.put(`} catch (${thrown}) {`)
  s.indented(() => {
    let rest = thrown
    for (const [i, handler] of handlers.entries()) {
      if (has(handler.body, 'Return', 'Raise') || jumpsIn(handler.body).size > 0) s.problem(handler, 'except* that raises')
      const number = i === 0 ? '' : i + 1
      rename(s, handler, `${group}${number}`)
      s.put(`const [${group}${number}, rest${number}] = ${w.python('split')}(${rest}, (each) => ${w.instanceOf(tight('each'), handler.of as Expression).text})`)
      s.braced(`if (${group}${number} !== null) `, () => s.block(handler.body))
      rest = `rest${number}`
    }
    s.put(`if (${rest} !== null) throw ${rest}`)
  })
}

export function raise(s: StatementWriter, { exc: error, cause, ...node }: Raise): void {
  const { w } = s
  if (error === null) {
    const caught = w.caught.at(-1)
    if (caught === undefined) s.problem(node, 'raise without an error outside except')
    else s.put(`throw ${caught}`)
    return
  }
  const isClass = w.typeOf(error).only('class', 'errorClass')
  const text = isClass ? `new ${s.code(error, LEVEL.call)}()` : s.code(error)
  if (cause === null || isNone(cause)) {
    s.put(`throw ${text}`)
    return
  }
  const options = `{ cause: ${s.code(cause)} }`
  const isBuiltin = error.type === 'Call' && w.typeOf(error.func).only('errorClass')
  const hasInit = w.typeOf(error).of('instance').some(({ cls }) => findMethod(cls, '__init__') !== null)
  // The constructor takes a message and options, unless the class has one of its own.
  const direct = isBuiltin || (!hasInit && text.startsWith('new '))
  s.put(`throw ${direct ? `${text.slice(0, -1)}${text.endsWith('()') ? "''" : ''}, ${options})` : `Object.assign(${text}, ${options})`}`)
}
