// Definitions of functions and classes: the types of parameters, fields and what a function returns.
import { isA } from '../class-members.ts'
import { fallsThrough, returnsValue } from '../flow.ts'
import { dotted, type ClassInfo, type Routine } from '../scopes.ts'
import type { AnnAssign, Assign, FunctionDef } from '../tree.ts'
import { Type } from '../types.ts'
import { annotate, annotation } from './annotations.ts'
import { passesOn, varargs } from './calls.ts'
import type { Knowledge } from './knowledge.ts'

/** Decorators that leave the function what it is. */
const TRANSPARENT = /^(dataclass|.*contextmanager|staticmethod|classmethod|property|functools\.wraps|wraps|override|abstractmethod|abc\.abstractmethod|.*\.setter)$/

export function define(infer: Knowledge, node: FunctionDef): void {
  const routine = infer.program.routines.get(node) as Routine
  parameters(infer, routine)
  const outer = { routine: infer.routine, owner: infer.owner }
  infer.routine = routine
  infer.owner = routine.owner ?? outer.owner
  infer.block(node.body)
  infer.routine = outer.routine
  infer.owner = outer.owner
  // A function that never returns a value gives undefined in TypeScript.
  if (fallsThrough(node.body)) infer.grow(routine.returns, new Type(returnsValue(node.body) ? 'none' : 'void'))
  if (routine.returns.atoms.size === 0 && node.returns !== null && !routine.isGenerator) infer.grow(routine.returns, annotation(infer, node.returns))
  const variable = infer.program.variables.get(node)
  if (variable === undefined) return
  let value = infer.function(node, routine)
  for (const decorator of [...node.decorator_list].reverse()) {
    if (TRANSPARENT.test(dotted(decorator))) continue
    const wrapped = infer.invoke(decorator, infer.expression(decorator), [value])
    // A wrapper that passes everything on is called like the function itself.
    if (!wrapped.only('routine') || !wrapped.of('routine').every((atom) => passesOn(atom.routine))) value = wrapped
  }
  infer.grow(variable.type, value)
}

export function parameters(infer: Knowledge, routine: Routine): void {
  const { node: { args }, owner, decorators, scope } = routine
  const positional = [...args.posonlyargs, ...args.args]
  const typeOf = (name: string): Type => scope.own(name).type
  for (const [i, value] of args.defaults.entries()) {
    const parameter = positional[positional.length - args.defaults.length + i]
    if (parameter !== undefined) infer.grow(typeOf(parameter.arg), infer.expression(value))
  }
  for (const [i, value] of args.kw_defaults.entries()) {
    const parameter = args.kwonlyargs[i]
    if (value !== null && parameter !== undefined) infer.grow(typeOf(parameter.arg), infer.expression(value))
  }
  const [first] = positional
  if (owner !== null && first !== undefined && !decorators.includes('staticmethod')) {
    infer.grow(typeOf(first.arg), new Type(decorators.includes('classmethod') ? infer.classAtom(owner) : infer.instance(owner)))
  }
  for (const parameter of [...positional, ...args.kwonlyargs]) {
    if (parameter.annotation === null) continue
    const type = typeOf(parameter.arg)
    const annotated = annotation(infer, parameter.annotation)
    if (type.without('none').atoms.size === 0) infer.grow(type, annotated)
    else annotate(infer, type, annotated)
  }
  if (args.vararg !== null) infer.grow(typeOf(args.vararg.arg), new Type(varargs(infer, routine)))
  if (args.kwarg !== null) infer.grow(typeOf(args.kwarg.arg), infer.dict(args, new Type('str'), new Type()))
}

export function defineClass(infer: Knowledge, cls: ClassInfo): void {
  const { node, variable } = cls
  for (const base of node.bases) {
    for (const atom of infer.expression(base).atoms) {
      if (atom.kind === 'class') {
        // A class may have the name of the one that it extends: it is not its own base.
        if (!cls.bases.includes(atom.cls) && !isA(atom.cls, cls)) {
          cls.bases.push(atom.cls)
          infer.changed = true
        }
        cls.error ??= atom.cls.error
      } else if (atom.kind === 'errorClass') cls.error ??= atom.name
    }
  }
  infer.grow(variable.type, new Type(infer.classAtom(cls)))
  const outer = infer.owner
  infer.owner = cls
  for (const statement of node.body) {
    const target = statement.type === 'AnnAssign' ? statement.target : statement.type === 'Assign' ? statement.targets[0] : undefined
    if ((statement.type === 'AnnAssign' || statement.type === 'Assign') && target?.type === 'Name') classValue(infer, cls, statement, target.id)
    else infer.block([statement])
  }
  infer.owner = outer
}

/** A value in the body of a class: a field of a dataclass, a member of an Enum, or a value of all instances. */
function classValue(infer: Knowledge, cls: ClassInfo, statement: Assign | AnnAssign, name: string): void {
  const isField = cls.isDataclass && statement.type === 'AnnAssign'
  const types = isField ? cls.fields : cls.statics
  let type = types.get(name)
  if (type === undefined) types.set(name, type = new Type())
  const given = statement.value === null ? null : infer.expression(statement.value)
  if (cls.isEnum) {
    infer.grow(type, new Type(infer.instance(cls)))
    if (given !== null) infer.enumValues(cls).join(given)
    return
  }
  if (statement.type === 'AnnAssign') {
    const annotated = annotation(infer, statement.annotation)
    annotate(infer, given, annotated)
    // A field that gets no value here is what its annotation says.
    if (isField && annotated.only('list', 'dict', 'set', 'deque', 'queue')) infer.grow(type, given ?? annotated)
    else if (isField && type.without('none').atoms.size === 0) infer.grow(type, annotated)
  }
  if (given !== null) infer.grow(type, given)
}
