// Calls: of functions and methods of the program, of its classes, and of what the tables know.
import { API, apiOf } from '../api.ts'
import { LEVEL, tight, type Code } from '../code.ts'
import { ERRORS } from '../errors.ts'
import { camelCase, methodName } from '../names.ts'
import { dotted, parametersOf, type Routine } from '../scopes.ts'
import type { Attribute, Call } from '../tree.ts'
import type { Of } from '../types.ts'
import { apiCall, argumentsFor, constructorArguments, isOwnRest, messageArgument, plainArguments } from './arguments.ts'
import { items } from './containers.ts'
import { formatCall, printCall } from './formatting.ts'
import { errorClass } from './references.ts'
import { notKnown, source, type Writer } from './writer.ts'

/** What is called, to which the order of what it goes through does not matter. */
const ORDER_FREE = new Set(['sorted', 'sum', 'min', 'max', 'any', 'all', 'set', 'frozenset', 'len', 'wait', 'gather', 'as_completed'])

export function call(w: Writer, node: Call): Code {
  const path = w.pathOf(node.func)
  const name = path?.slice(path.lastIndexOf('.') + 1) ?? (node.func.type === 'Attribute' ? node.func.attr : '')
  return w.during('orderFree', ORDER_FREE.has(name), () => path === null ? called(w, node) : importedCall(w, node, path, name))
}

function importedCall(w: Writer, node: Call, path: string, name: string): Code {
  if (path === 'builtins.print') return tight(printCall(w, node))
  if (path.startsWith('asyncio.') && name in ERRORS) return tight(`new ${errorClass(w, name)}(${plainArguments(w, node)})`)
  const api = API[path]
  return api === undefined ? w.problem(node, `${path} is not translated`) : apiCall(w, node, api, null, camelCase(name))
}

function called(w: Writer, node: Call): Code {
  const { func } = node
  if (func.type === 'Name' && func.id === 'super') return tight('super')
  if (func.type === 'Attribute' && func.attr === 'format' && w.typeOf(func.value).only('str')) return formatCall(w, node)
  if (func.type === 'Attribute' && func.value.type === 'Call' && dotted(func.value.func) === 'super') return superCall(w, node, func)
  const [first] = w.typeOf(func).without('none').atoms
  if (first === undefined) {
    if (func.type !== 'Attribute') return w.unknown(func, `it is not known what '${source(func)}' is`)
    if (w.typeOf(func.value).without('none').unknown) return w.unknown(func.value, notKnown(func.value, `what '.${func.attr}(…)' does: add an annotation`))
    return w.problem(node, `.${func.attr}(…) is not translated`)
  }
  switch (first.kind) {
    case 'routine': return routineCall(w, node, w.typeOf(func).of('routine'))
    case 'class': return tight(`new ${w.code(func, LEVEL.call)}(${constructorArguments(w, node, first.cls)})`)
    case 'errorClass': return newError(w, node, first.name)
    case 'method': {
      const api = apiOf(first)
      if (func.type !== 'Attribute') break
      return api === null ? w.problem(node, `.${func.attr} is not translated`) : apiCall(w, node, api, first.on, camelCase(func.attr))
    }
    case 'partial': case 'any': case 'api': break
    default: return w.problem(node, 'a call of this')
  }
  return tight(`${w.present(func, LEVEL.call)}(${plainArguments(w, node)})`)
}

function newError(w: Writer, node: Call, name: string): Code {
  const [first] = node.args
  const code = tight(`new ${w.code(node.func, LEVEL.call)}(${plainArguments(w, node)})`)
  if (name === 'ExceptionGroup') return code
  if (node.args.length > 1 || node.keywords.length > 0) return w.problem(node, 'an exception with several arguments')
  if (first !== undefined && !w.typeOf(first).only('str')) return w.problem(node, 'an exception whose argument is not known to be a string')
  return code
}

function superCall(w: Writer, node: Call, func: Attribute): Code {
  const [method] = w.typeOf(func).of('routine')
  if (func.attr === '__init__') return tight(`super(${method === undefined ? messageArgument(w, node) : argumentsFor(w, node, method.routine, true)})`)
  if (method === undefined) return w.problem(node, `super().${func.attr} is not known`)
  if (w.depth > 0) return w.problem(node, 'super() inside a body of its own')
  return tight(`super.${methodName(func.attr)}(${argumentsFor(w, node, method.routine, true)})`)
}

function routineCall(w: Writer, node: Call, routines: Of<'routine'>[]): Code {
  const { func } = node
  const { routine, self } = routines[0] as Of<'routine'>
  if (func.type === 'Attribute' && routine.owner !== null) {
    if (routines.some((other) => other.routine.node.type === 'Lambda')) return w.problem(node, 'a call of this')
    if (self !== null || w.typeOf(func.value).only('class')) {
      // `Class.method(object)` has no counterpart.
      if (self === null && !routine.decorators.includes('staticmethod')) return w.problem(node, 'a method called on its class')
      return tight(`${w.present(func.value, LEVEL.call)}.${methodName(func.attr)}(${argumentsFor(w, node, routine, self !== null)})`)
    }
  }
  const hasKeywords = node.keywords.some(({ arg }) => arg !== null)
  const names = (one: Routine): string => parametersOf(one.node).map(({ arg }) => arg).join()
  if (hasKeywords && routines.some((other) => names(other.routine) !== names(routine))) return w.problem(node, 'keywords in a call of several functions')
  const variable = func.type === 'Name' ? w.program.variables.get(func) : undefined
  // TypeScript does not know how many there are behind a star.
  const spread = node.args.some((arg) => arg.type === 'Starred' && (!w.typeOf(arg.value).only('tuple') || isOwnRest(w, arg.value)))
  const asIs = routines.length > 1 || (variable?.kind !== 'function' && !hasKeywords)
  const takesAny = asIs ? variable !== undefined && w.program.spread.has(variable) : routine.node.args.vararg !== null
  const target = w.present(func, LEVEL.call)
  const on = spread && !takesAny ? `(${target} as (...args: any[]) => ${w.ts(w.typeOf(node))})` : target
  return tight(`${on}(${asIs ? items(w, node.args) : argumentsFor(w, node, routine, self !== null)})`)
}
