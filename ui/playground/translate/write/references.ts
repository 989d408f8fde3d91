// Names, what modules export, and attributes.
import { API, apiOf, CONSTANTS } from '../api.ts'
import { findField, findMethod, staticOwner } from '../class-members.ts'
import { lambda, LEVEL, tight, type Code } from '../code.ts'
import { ERRORS, errorName } from '../errors.ts'
import { camelCase } from '../names.ts'
import { dotted } from '../scopes.ts'
import { at, type At, type Attribute, type Constant, type Name } from '../tree.ts'
import type { Type } from '../types.ts'
import { isErrorInstance } from './value-text.ts'
import { notKnown, source, type Writer } from './writer.ts'

export function name(w: Writer, node: Name): Code {
  const variable = w.program.variables.get(node)
  if (variable === undefined) {
    if (node.id === '__name__') return tight("'__main__'")
    if (node.id in ERRORS) return tight(errorClass(w, node.id))
    if (node.id === 'print') return tight(w.print())
    return w.problem(node, `${node.id} is not translated`)
  }
  const path = w.program.imports.get(variable)
  if (path !== undefined) return imported(w, node, path)
  if (!w.isSelf(variable)) return tight(variable.code)
  if (w.depth === 0) return tight('this')
  w.usesSelf = true
  return tight('self')
}

export function errorClass(w: Writer, python: string): string {
  const error = errorName(python)
  return error.from === null ? w.global(error.code) : w.use(error.code, error.from)
}

/** A module's member as a value. */
function imported(w: Writer, node: At, path: string): Code {
  const constant = CONSTANTS[path]
  if (constant !== undefined) return tight(constant.from === undefined ? constant.code : w.use(constant.code, constant.from))
  if (path === 'random') return tight(w.use('random', './random.ts'))
  const name = path.slice(path.lastIndexOf('.') + 1)
  const isAsyncio = path.startsWith('asyncio.')
  if (isAsyncio && name in ERRORS) return tight(errorClass(w, name))
  const api = API[path]
  if (api === undefined) return w.problem(node, `${path} is not translated`)
  return isAsyncio && api.write === undefined ? tight(w.use(camelCase(name))) : w.problem(node, `${path} as a value`)
}

export function attribute(w: Writer, node: Attribute): Code {
  const { value, attr } = node
  const path = w.pathOf(node)
  if (path !== null) return imported(w, node, path)
  if (attr === '__name__') return className(w, node)
  const on = w.typeOf(value)
  if (on.without('none').unknown) return w.unknown(value, notKnown(value, `what '.${attr}' gives: add an annotation`))
  const object = w.present(value, LEVEL.call)
  if (attr === '__cause__') return tight(`${object}.cause`)
  if (on.has('instance', 'class')) return classMember(w, node, on, object)
  const type = w.typeOf(node)
  if (type.atoms.size === 0 && !on.has('any')) return w.problem(node, `.${attr} is not translated`)
  return type.only('method') ? boundMethod(w, node, object) : tight(`${object}.${camelCase(attr)}`)
}

/** `type(x).__name__`, and the name of a function. */
function className(w: Writer, { value: of }: Attribute): Code {
  const value = of.type === 'Call' && dotted(of.func) === 'type' ? of.args[0] : undefined
  if (value === undefined) return tight(`${w.present(of, LEVEL.call)}.name`)
  return tight(isErrorInstance(w.typeOf(value)) ? `${w.python('nameOf')}(${w.code(value)})` : `${w.code(value, LEVEL.call)}.constructor.name`)
}

function classMember(w: Writer, node: Attribute, on: Type, object: string): Code {
  const { attr } = node
  const found = on.of('instance', 'class')
  if (!found.every(({ cls }) => findField(cls, attr) !== null || findMethod(cls, attr) !== null || (cls.isEnum && ['name', 'value'].includes(attr)))) {
    return w.problem(node, `'${source(node.value)}' has no '${attr}' that is known`)
  }
  const { kind, cls } = found[0] as (typeof found)[0]
  const member = camelCase(attr)
  const method = findMethod(cls, attr)
  // A method that is passed on keeps its object.
  if (method !== null) return tight(`${object}.${member}${method.decorators.includes('property') ? '' : `.bind(${object})`}`)
  const owner = kind === 'instance' && !cls.isEnum ? staticOwner(cls, attr) : null
  return tight(`${owner?.variable.code ?? object}.${member}`)
}

/** A method of asyncio's or Python's as a value. */
function boundMethod(w: Writer, node: Attribute, object: string): Code {
  const [method] = w.typeOf(node).of('method')
  const api = method === undefined ? null : apiOf(method)
  if (api?.write === undefined) return tight(`${object}.${camelCase(node.attr)}.bind(${object})`)
  const each: Constant = { ...at(node), type: 'Constant', kind: 'code', value: 'each' }
  const written = api.write({ node: { ...at(node), type: 'Call', func: node, args: [each], keywords: [] }, w, on: object, onAtom: method?.on ?? null, arg: () => each, rest: [], code: () => 'each' })
  return lambda('each', typeof written === 'string' ? written : written.text)
}
