// Classes: their fields, and methods under the names that TypeScript has for Python's special ones.
import { findField, findMethod } from '../class-members.ts'
import { quoted } from '../code.ts'
import { camelCase, methodName } from '../names.ts'
import { dotted, parametersOf, type ClassInfo, type Routine } from '../scopes.ts'
import type { ClassDef, Expression, FunctionDef, Statement } from '../tree.ts'
import { Type, union } from '../types.ts'
import { dataConstructor, dataText, enumMembers } from './data-classes.ts'
import { writeDocstring, writeMethod } from './functions.ts'
import type { StatementWriter } from './statement-writer.ts'

export function writeClass(s: StatementWriter, node: ClassDef): void {
  const { w } = s
  const cls = w.program.classes.get(node) as ClassInfo
  writeDocstring(s, node.body)
  if (node.keywords.length > 0) w.problem(node, 'keywords of a class')
  for (const decorator of node.decorator_list) if (!/(^|\.)dataclass$/.test(dotted(decorator))) w.problem(decorator, 'a decorator of a class')
  const [base, ...others] = node.bases.filter((one) => !/(^|\.)(Enum|ABC|object|Protocol)$/.test(dotted(one)))
  if (others.length > 0) w.problem(node, 'several base classes')
  s.braced(`class ${cls.variable.code}${base === undefined ? '' : ` extends ${s.code(base)}`} `, () => {
    if (cls.isEnum) enumMembers(s, cls)
    else {
      if (cls.error !== null) s.put(`override name = ${quoted(node.name)}`)
      fields(s, cls)
      if (cls.isDataclass) dataConstructor(s, cls)
    }
    members(s, cls)
    if ((cls.isDataclass || cls.isEnum) && w.shown.has(cls)) dataText(s, cls)
  })
}

function fields(s: StatementWriter, cls: ClassInfo): void {
  const { w } = s
  const isInherited = (name: string): boolean => cls.bases.some((base) => findField(base, name) !== null)
  for (const [name, type] of cls.statics) {
    const value = assignedIn(cls.node, name)
    const field = cls.fields.get(name)
    if (value === null || (field !== undefined && isInherited(name))) continue
    s.put(`${field === undefined ? 'static ' : ''}${camelCase(name)}: ${w.ts(field === undefined ? type : union(type, field))} = ${s.code(value)}`)
  }
  if (cls.isDataclass) return
  const init = cls.methods.get('__init__')?.body ?? []
  for (const [name, type] of cls.fields) {
    if (cls.statics.has(name) || isInherited(name)) continue
    const isSure = init.some((statement) => statement.type !== 'AugAssign' && assignsAttribute(statement, name))
    s.put(`${camelCase(name)}${isSure ? '' : '!'}: ${w.ts(type)}`)
  }
}

function assignedIn(node: ClassDef, name: string): Expression | null {
  for (const statement of node.body) {
    if (statement.type === 'Assign' && statement.targets.some((target) => target.type === 'Name' && target.id === name)) return statement.value
    if (statement.type === 'AnnAssign' && statement.target.type === 'Name' && statement.target.id === name) return statement.value
  }
  return null
}

/** Whether a statement assigns an attribute of this name, of whatever object. */
export function assignsAttribute(statement: Statement, name: string): boolean {
  const targets = statement.type === 'Assign' ? statement.targets : statement.type === 'AugAssign' || statement.type === 'AnnAssign' ? [statement.target] : []
  return targets.some((target) => target.type === 'Attribute' && target.attr === name)
}

function members(s: StatementWriter, cls: ClassInfo): void {
  let isFirst = cls.fields.size === 0 && cls.statics.size === 0 && cls.error === null
  for (const statement of cls.node.body) {
    if (statement.type === 'FunctionDef' || statement.type === 'AsyncFunctionDef') {
      s.from = statement.line
      if (!isFirst) s.put('')
      isFirst = false
      s.commentsBefore((statement.decorator_list[0] ?? statement).line)
      method(s, cls, statement)
    } else if (!['Assign', 'AnnAssign', 'Expr', 'Pass'].includes(statement.type)) s.problem(statement, 'this in a class')
  }
}

const DECORATORS = /^(staticmethod|classmethod|property|override|abstractmethod|abc\.abstractmethod|(\w+\.)?(async)?contextmanager|\w+\.setter)$/
const SUPPORTED = new Set(['__aenter__', '__enter__', '__aexit__', '__exit__', '__str__', '__repr__', '__iter__', '__post_init__'])

function method(s: StatementWriter, cls: ClassInfo, node: FunctionDef): void {
  const { w } = s
  const { name } = node
  const routine = w.program.routines.get(node) as Routine
  for (const decorator of node.decorator_list) if (!DECORATORS.test(dotted(decorator))) w.problem(decorator, 'a decorator of a method')
  writeDocstring(s, node.body)
  if (name === '__init__') {
    init(s, cls, routine)
    return
  }
  if (/^__\w+__$/.test(name) && !SUPPORTED.has(name)) w.problem(node, `${name} is not translated`)
  const is = (decorator: string): boolean => routine.decorators.some((one) => one === decorator || one.endsWith(`.${decorator}`))
  const star = routine.isAsync || routine.isGenerator ? '*' : ''
  const kind = is('property') ? 'get ' : is('setter') ? 'set ' : ''
  // A class that has no __str__ prints as its __repr__.
  const text = name === '__repr__' && findMethod(cls, '__str__') === null ? 'toString' : methodName(name)
  writeMethod(s, routine, `${is('staticmethod') || is('classmethod') ? 'static ' : ''}${kind}${star}${text}`)
}

function init(s: StatementWriter, cls: ClassInfo, routine: Routine): void {
  const isSuper = (statement: Statement): boolean => statement.type === 'Expr' && statement.value.type === 'Call' && statement.value.func.type === 'Attribute' && statement.value.func.attr === '__init__'
  const superCall = routine.body.find(isSuper)
  const at = s.lines.length
  // TypeScript wants super() before this.
  const body = superCall === undefined ? routine.body : [superCall, ...routine.body.filter((statement) => statement !== superCall)]
  writeMethod(s, { ...routine, body }, 'constructor')
  if (superCall !== undefined || (cls.error === null && cls.bases.length === 0)) return
  const [, message] = parametersOf(routine.node)
  const type = message === undefined ? new Type() : routine.scope.own(message.arg).type
  if (cls.error !== null && (parametersOf(routine.node).length !== 2 || !type.only('str'))) s.w.problem(routine.node, 'an exception that does not call super().__init__ with its message')
  s.insert(at + 1, `  super(${cls.error === null || message === undefined ? '' : camelCase(message.arg)})`, routine.node.line)
}
