// The arguments of calls, in the order that TypeScript wants.
import { parseSignature, type Api } from '../entry.ts'
import { dataFields, findMethod } from '../class-members.ts'
import { LEVEL, tight, type Code } from '../code.ts'
import { camelCase } from '../names.ts'
import type { ClassInfo, Routine } from '../scopes.ts'
import { contains, type Call, type Expression } from '../tree.ts'
import type { Atom } from '../types.ts'
import { items } from './containers.ts'
import type { Writer } from './writer.ts'

/** Arguments as they are. */
export function plainArguments(w: Writer, node: Call): string {
  if (node.keywords.length > 0) w.problem(node, 'keywords here')
  return items(w, node.args)
}

export function constructorArguments(w: Writer, node: Call, cls: ClassInfo): string {
  const init = findMethod(cls, '__init__')
  if (init !== null) return argumentsFor(w, node, init, true)
  if (!cls.isDataclass) return cls.error === null ? plainArguments(w, node) : messageArgument(w, node)
  const names = dataFields(cls).map(({ name }) => name)
  const values = node.args.map((arg) => w.code(arg))
  for (const { arg, value } of node.keywords) {
    if (arg === null) return w.problem(node, '** in a call').text
    values[names.indexOf(arg)] = w.code(value)
  }
  return filled(values).join(', ')
}

/** The message of an exception. */
export function messageArgument(w: Writer, node: Call): string {
  const [first] = node.args
  if (node.args.length > 1 || (first !== undefined && !w.typeOf(first).only('str'))) w.problem(node, 'an exception whose argument is not one string')
  return plainArguments(w, node)
}

/** Values with what JavaScript has for those that are left out. */
function filled(values: readonly (string | undefined)[], length = values.length): string[] {
  return Array.from({ length: Math.max(length, values.length) }, (_, i) => values[i] ?? 'undefined')
}

/** The arguments in the order of the function's parameters in TypeScript. */
export function argumentsFor(w: Writer, node: Call, routine: Routine, bound: boolean): string {
  const { args } = routine.node
  const positional = [...args.posonlyargs, ...args.args].slice(bound ? 1 : 0).map(({ arg }) => arg)
  const order = [...positional, ...args.kwonlyargs.map(({ arg }) => arg)]
  const values: string[] = []
  const rest: string[] = []
  const spread = node.args.some(({ type }) => type === 'Starred')
  const star = node.args.findIndex(({ type }) => type === 'Starred')
  for (const [i, arg] of node.args.entries()) {
    if (spread && i >= star) rest.push(items(w, [arg]))
    else if (i < positional.length) values[i] = w.code(arg)
    else if (args.vararg !== null) rest.push(w.code(arg))
    else w.problem(arg, 'more arguments than the function takes')
  }
  let last = -1
  for (const { arg, value } of node.keywords) {
    if (arg === null) {
      // Keywords that are only passed on: there are none in TypeScript.
      if (!isOwnKeywords(w, value)) w.problem(node, '** in a call')
      continue
    }
    const at = order.indexOf(arg)
    if (at < 0) {
      w.problem(value, `the keyword ${arg} has no parameter that is known`)
      continue
    }
    if (at < last && node.keywords.some((keyword) => contains(keyword.value, 'Await'))) w.problem(node, 'awaits in keywords that are not in the order of the parameters')
    last = at
    values[at] = w.code(value)
  }
  const full = spread ? args.vararg !== null && args.kwonlyargs.length > 0 : rest.length > 0
  return [...filled(values, full ? order.length : 0), ...rest].join(', ')
}

/** Whether it is the `*args` of a function around, an array of any length. */
export function isOwnRest(w: Writer, value: Expression): boolean {
  return value.type === 'Name' && w.routines.some(({ node }) => node.args.vararg?.arg === value.id)
}

/** Whether it is the `**kwargs` of a function around. */
function isOwnKeywords(w: Writer, value: Expression): boolean {
  return value.type === 'Name' && w.routines.some(({ node }) => node.args.kwarg?.arg === value.id)
}

/** A call of what the tables know; `on` is the object of a method. */
export function apiCall(w: Writer, node: Call, api: Api, on: Atom | null, name: string): Code {
  const { positional, options } = parseSignature(api.signature)
  for (const { arg } of node.keywords) {
    if (arg === null) return w.problem(node, '** in a call')
    if (!positional.includes(arg) && !options.includes(arg)) return w.problem(node, `the keyword ${arg} is not translated`)
  }
  const arg = (wanted: string): Expression | null => node.keywords.find((keyword) => keyword.arg === wanted)?.value ?? node.args[positional.indexOf(wanted)] ?? null
  const object = on === null || node.func.type !== 'Attribute' ? '' : w.present(node.func.value, LEVEL.call)
  if (api.write !== undefined) {
    const code = (wanted: string, level = 0): string => {
      const value = arg(wanted)
      return value === null ? '' : w.code(value, level)
    }
    const written = api.write({ node, w, on: object, onAtom: on, arg, rest: node.args.slice(positional.length), code })
    return typeof written === 'string' ? tight(written) : written
  }
  const values = node.args.map((value, i) => ['awaitable', 'coro'].includes(positional[i] ?? '') && value.type !== 'Starred' ? w.present(value) : items(w, [value]))
  const given: string[] = []
  for (const { arg: name, value } of node.keywords) {
    const at = positional.indexOf(name as string)
    if (at >= 0) values[at] = w.code(value)
  }
  for (const option of options) {
    const value = arg(option)
    if (value !== null) given.push(`${camelCase(option)}: ${w.code(value)}`)
  }
  const all = [...filled(values), ...given.length === 0 ? [] : [`{ ${given.join(', ')} }`]]
  return tight(`${on === null ? w.use(name) : `${object}.${name}`}(${all.join(', ')})`)
}
