// Statements: which values flow where.
import { findMethod } from '../class-members.ts'
import { returnsValue } from '../flow.ts'
import type { ClassInfo } from '../scopes.ts'
import type { Expression, Statement, Try, With } from '../tree.ts'
import { named, Type, union } from '../types.ts'
import { annotate, annotation } from './annotations.ts'
import { assign, augmented, goThrough } from './assigned.ts'
import { give } from './calls.ts'
import { define, defineClass } from './definitions.ts'
import type { Knowledge } from './knowledge.ts'
import { memberOf } from './members.ts'
import { caught, narrowed } from './narrowing.ts'

export function follow(infer: Knowledge, statement: Statement): void {
  switch (statement.type) {
    case 'FunctionDef': case 'AsyncFunctionDef': define(infer, statement); return
    case 'ClassDef': defineClass(infer, infer.program.classes.get(statement) as ClassInfo); return
    case 'Return': {
      const { routine } = infer
      if (routine !== null) infer.grow(routine.returns, statement.value === null ? new Type(returnsValue(routine.body) ? 'none' : 'void') : infer.expression(statement.value))
      return
    }
    case 'Assign': {
      const value = infer.expression(statement.value)
      for (const target of statement.targets) assign(infer, target, value)
      return
    }
    case 'AugAssign': augmented(infer, statement); return
    case 'AnnAssign': {
      const annotated = annotation(infer, statement.annotation)
      const value = statement.value === null ? null : infer.expression(statement.value)
      annotate(infer, value, annotated)
      assign(infer, statement.target, value ?? annotated)
      return
    }
    case 'For': case 'AsyncFor':
      goThrough(infer, statement)
      infer.block(statement.body)
      infer.block(statement.orelse)
      return
    case 'While':
      infer.expression(statement.test)
      infer.block(statement.body)
      infer.block(statement.orelse)
      return
    case 'If':
      infer.expression(statement.test)
      narrowed(infer, statement.test, () => infer.block(statement.body))
      infer.block(statement.orelse)
      return
    case 'With': case 'AsyncWith': withStatement(infer, statement); return
    case 'Try': case 'TryStar': tryStatement(infer, statement); return
    case 'Raise': each(infer, statement.exc, statement.cause); return
    case 'Assert': each(infer, statement.test, statement.msg); return
    case 'Delete': each(infer, ...statement.targets); return
    case 'Expr': infer.expression(statement.value); return
    case 'Import':
      for (const alias of statement.names) {
        const variable = infer.program.variables.get(alias)
        if (variable?.type.join(new Type(named(alias.asname === null ? alias.name.split('.')[0] as string : alias.name, 'module'))) === true) infer.changed = true
      }
      return
    case 'ImportFrom':
      for (const alias of statement.names) {
        const variable = infer.program.variables.get(alias)
        if (variable !== undefined) infer.grow(variable.type, memberOf(statement.module ?? '', alias.name))
      }
      return
    default:
  }
}

function each(infer: Knowledge, ...expressions: (Expression | null)[]): void {
  for (const one of expressions) if (one !== null) infer.expression(one)
}

function withStatement(infer: Knowledge, { items, body }: With): void {
  for (const { context_expr: value, optional_vars: variable } of items) {
    const given = entered(infer, infer.expression(value))
    if (variable !== null) assign(infer, variable, given)
  }
  infer.block(body)
}

/** What `with … as` gives. */
function entered(infer: Knowledge, type: Type): Type {
  const found: Type[] = []
  for (const atom of type.atoms) {
    if (atom.kind === 'context') found.push(atom.result)
    else if (atom.kind === 'object') found.push(new Type(['TaskGroup', 'Timeout', 'Runner'].includes(atom.name) ? atom : atom.name === 'Barrier' ? 'nat' : 'none'))
    else if (atom.kind === 'instance') {
      const enter = findMethod(atom.cls, '__aenter__', '__enter__')
      if (enter !== null) {
        give(infer, enter, 0, new Type(atom))
        found.push(enter.returns)
      }
      const exit = findMethod(atom.cls, '__aexit__', '__exit__')
      if (exit !== null) give(infer, exit, 0, new Type(atom))
    }
  }
  return union(...found)
}

function tryStatement(infer: Knowledge, { type, body, handlers, orelse, finalbody }: Try): void {
  infer.block(body)
  for (const handler of handlers) {
    const error = handler.of === null ? new Type() : caught(infer, handler.of)
    const variable = infer.program.variables.get(handler)
    if (variable !== undefined) infer.grow(variable.type, type === 'TryStar' ? new Type(named('ExceptionGroup', 'error')) : error)
    infer.block(handler.body)
  }
  infer.block(orelse)
  infer.block(finalbody)
}
