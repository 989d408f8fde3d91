// Calls: what flows into the parameters of functions, and what comes back.
import { apiOf } from '../api.ts'
import { dataFields, findField, findMethod } from '../class-members.ts'
import { parseSignature } from '../entry.ts'
import { parametersOf, type ClassInfo, type Routine, type Variable } from '../scopes.ts'
import { expressionsIn, type Call, type Expression } from '../tree.ts'
import { elementsOf, named, Type, union, type Atom, type Of } from '../types.ts'
import type { Knowledge } from './knowledge.ts'

interface Given {
  /** The call that the program writes; null for one that a function of Python's makes. */
  node: Call | null
  args: Type[]
  keywords: ReadonlyMap<string, Type>
  /** Arguments with a star, and those after it. */
  spread: Type[]
}

/** A call with these arguments, and nothing more. */
const plainly = (args: Type[]): Given => ({ node: null, args, keywords: new Map(), spread: [] })

export function iterated(infer: Knowledge, at: object, type: Type): Type {
  const found = [elementsOf(type, 'list', 'deque', 'set', 'iter', 'stream')]
  for (const atom of type.of('dict')) found.push(atom.key)
  if (type.has('str')) found.push(new Type('str'))
  if (type.has('any')) found.push(new Type('any'))
  for (const atom of type.of('class')) if (atom.cls.isEnum) found.push(new Type(infer.instance(atom.cls)))
  for (const atom of type.of('instance')) {
    const iterators = callMethod(infer, atom, '__aiter__', '__iter__')?.of('instance', 'stream', 'iter') ?? []
    found.push(...iterators.map((one) => one.kind === 'instance' ? nextOf(infer, one) : one.elem))
  }
  return union(...found)
}

function nextOf(infer: Knowledge, atom: Of<'instance'>): Type {
  const next = findMethod(atom.cls, '__anext__', '__next__')
  if (next === null) return new Type()
  give(infer, next, 0, new Type(atom))
  return next.returns
}

/** Calls the first of these methods that an object has; null if it has none. */
function callMethod(infer: Knowledge, atom: Of<'instance'>, ...names: string[]): Type | null {
  const method = findMethod(atom.cls, ...names)
  if (method === null) return null
  give(infer, method, 0, new Type(atom))
  return resultOf(infer, method)
}

export function invoke(infer: Knowledge, at: object, type: Type, args: Type[]): Type {
  return union(...[...type.atoms].map((atom) => called(infer, at, atom, plainly(args))))
}

function called(infer: Knowledge, at: object, atom: Atom, given: Given): Type {
  const { node, args, keywords, spread } = given
  switch (atom.kind) {
    case 'routine': return callRoutine(infer, atom.routine, atom.self, given)
    case 'partial':
      for (const { routine, self } of atom.of.of('routine')) callRoutine(infer, routine, self, { ...given, args: [...atom.args, ...args] })
      return infer.invoke(at, atom.of, [...atom.args, ...args])
    case 'class': return instantiate(infer, atom.cls, given)
    case 'errorClass': return new Type(named(atom.name, 'error'))
    case 'api': case 'method': {
      const api = apiOf(atom)
      if (api === null) return new Type()
      const { positional } = parseSignature(api.signature)
      return api.returns({
        at, infer, on: atom.kind === 'method' ? atom.on : null, rest: [...args.slice(positional.length), ...spread],
        arg: (name) => keywords.get(name) ?? args[positional.indexOf(name)] ?? new Type(),
        expression: (name) => node?.keywords.find(({ arg }) => arg === name)?.value ?? node?.args[positional.indexOf(name)] ?? null,
      })
    }
    case 'any': return new Type('any')
    default: return new Type()
  }
}

/** What a call of a routine evaluates to. */
function resultOf(infer: Knowledge, routine: Routine): Type {
  const { isAsync, yields, returns } = routine
  if (routine.isContext) return new Type(infer.make(routine, 'context', () => ({ kind: 'context' as const, result: yields, ...(isAsync ? { name: 'async' } : {}) })))
  if (routine.isGenerator) {
    const kind = isAsync ? 'stream' as const : 'iter' as const
    return new Type(infer.make(routine, kind, () => ({ kind, elem: yields })))
  }
  return isAsync ? new Type(infer.make(routine, 'coro', () => ({ kind: 'coro' as const, result: returns }))) : returns
}

/** Gives a value to the parameter at a place. */
export function give(infer: Knowledge, routine: Routine, index: number, type: Type): void {
  const parameter = parametersOf(routine.node)[index]
  const variable = parameter === undefined ? undefined : infer.program.variables.get(parameter)
  if (variable !== undefined) infer.grow(variable.type, type)
}

function callRoutine(infer: Knowledge, routine: Routine, self: Atom | null, { args, keywords, spread }: Given): Type {
  const { args: shape } = routine.node
  const positional = [...shape.posonlyargs, ...shape.args]
  const given = self === null ? args : [new Type(self), ...args]
  const fill = (name: string, type: Type): void => {
    const variable = routine.scope.variables.get(name)
    if (variable !== undefined) infer.grow(variable.type, type)
  }
  for (const [i, type] of given.entries()) {
    const parameter = positional[i]
    if (parameter !== undefined) fill(parameter.arg, type)
    else if (shape.vararg !== null) extra(infer, routine, type, i - positional.length)
  }
  for (const type of spread) {
    for (const parameter of positional.slice(given.length)) fill(parameter.arg, type)
    if (shape.vararg !== null) extra(infer, routine, type, Math.max(0, given.length - positional.length))
  }
  for (const [name, type] of keywords) fill(name, type)
  return resultOf(infer, routine)
}

/** An argument beyond the parameters: `*args` knows what comes at each place. */
function extra(infer: Knowledge, routine: Routine, type: Type, place: number): void {
  const { elems } = varargs(infer, routine)
  while (elems.length <= place) {
    elems.push(new Type())
    infer.changed = true
  }
  infer.grow(elems[place] as Type, type)
}

/** The `*args` of a function. */
export function varargs(infer: Knowledge, routine: Routine): Of<'tuple'> {
  return infer.make(routine.node.args, 'tuple', () => ({ kind: 'tuple' as const, elems: [] as Type[], isList: false, isRest: true as const }))
}

function instantiate(infer: Knowledge, cls: ClassInfo, given: Given): Type {
  const instance = infer.instance(cls)
  const init = findMethod(cls, '__init__')
  if (init !== null) callRoutine(infer, init, instance, given)
  else if (cls.isDataclass) {
    const fill = (name: string | undefined, type: Type): void => {
      const field = findField(cls, name ?? '')
      if (field !== null) infer.grow(field, type)
    }
    const fields = dataFields(cls)
    for (const [i, type] of given.args.entries()) fill(fields[i]?.name, type)
    for (const [name, type] of given.keywords) fill(name, type)
  }
  const post = findMethod(cls, '__post_init__')
  if (post !== null) give(infer, post, 0, new Type(instance))
  return new Type(instance)
}

export function call(infer: Knowledge, node: Call): Type {
  const func = infer.expression(node.func)
  const given: Given = { node, ...argumentsOf(infer, node) }
  const { program, routine, owner } = infer
  if (node.func.type === 'Name' && node.func.id === 'super' && owner !== null) return new Type(infer.make(owner, 'super', () => ({ kind: 'super' as const, cls: owner })))
  const starred = node.args.filter(({ type }) => type === 'Starred')
  // What a function passes on, its callers give to the other function itself.
  const passed = routine !== null && passesOn(routine) && node.args.some((arg) => isRestOf(routine, arg))
  return union(...[...func.atoms].map((atom) => {
    if (atom.kind !== 'routine') return called(infer, node, atom, given)
    if (node.func.type === 'Name' && starred.length > 0 && given.args.length + given.spread.length > 0) program.spread.add(program.variables.get(node.func) as Variable)
    return passed ? resultOf(infer, atom.routine) : called(infer, node, atom, given)
  }))
}

function argumentsOf(infer: Knowledge, node: Call): Omit<Given, 'node'> {
  const args: Type[] = []
  const spread: Type[] = []
  for (const arg of node.args) {
    const type = infer.expression(arg)
    if (arg.type === 'Starred') {
      const tuples = type.of('tuple')
      const [first] = tuples
      if (first !== undefined && type.only('tuple') && tuples.every(({ elems }) => elems.length === first.elems.length)) {
        for (const [i] of first.elems.entries()) args.push(union(...tuples.map(({ elems }) => elems[i] as Type)))
      } else spread.push(infer.iterated(arg, type))
    } else if (spread.length > 0) spread.push(type)
    else args.push(type)
  }
  const keywords = new Map<string, Type>()
  for (const { arg, value } of node.keywords) {
    const type = infer.expression(value)
    if (arg !== null) keywords.set(arg, type)
  }
  return { args, keywords, spread }
}

/** Whether a function takes anything, and calls another with just that. */
export function passesOn(routine: Routine): boolean {
  const { args } = routine.node
  if (args.vararg === null || args.args.length + args.kwonlyargs.length > 0) return false
  for (const inner of expressionsIn(routine.body)) {
    if (inner.type === 'Call' && inner.func.type === 'Name' && inner.args.length === 1 && isRestOf(routine, inner.args[0] as Expression)) return true
  }
  return false
}

/** Whether an argument is the function's own `*args`. */
function isRestOf({ node }: Routine, arg: Expression): boolean {
  return arg.type === 'Starred' && arg.value.type === 'Name' && arg.value.id === node.args.vararg?.arg
}
