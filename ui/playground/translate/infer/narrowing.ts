// What the classes in `except` and `isinstance` say about a value.
import { dotted, type Variable } from '../scopes.ts'
import type { Expression, Name } from '../tree.ts'
import { Type, union, type PlainKind } from '../types.ts'
import type { Knowledge } from './knowledge.ts'

/** What an `except` clause with these classes catches. */
export function caught(infer: Knowledge, classes: Expression): Type {
  const type = infer.expression(classes)
  const all = classes.type === 'Tuple' ? union(...classes.elts.map((elt) => infer.typeOf(elt))) : type
  return infer.instancesOf(union(all, ...all.of('tuple').flatMap(({ elems }) => elems)))
}

/** Looks at what comes after a test that was true. */
export function narrowed<T>(infer: Knowledge, test: Expression, inside: () => T): T {
  const before: [Variable, Type | undefined][] = []
  for (const one of test.type === 'BoolOp' && test.op === 'And' ? test.values : [test]) {
    const name = subjectOf(one)
    const variable = name === null ? undefined : infer.program.variables.get(name)
    const type = variable === undefined ? null : left(infer, one, variable)
    if (variable === undefined || type === null) continue
    before.push([variable, infer.narrow.get(variable)])
    infer.narrow.set(variable, type)
  }
  const result = inside()
  for (const [variable, type] of before.reverse()) {
    if (type === undefined) infer.narrow.delete(variable)
    else infer.narrow.set(variable, type)
  }
  return result
}

/** The variable that a test says something about. */
function subjectOf(test: Expression): Name | null {
  const value = test.type === 'Call' && dotted(test.func) === 'isinstance' ? test.args[0]
    : test.type !== 'Compare' || test.isPattern !== true ? undefined : test.left.type === 'Call' ? test.left.args[0] : test.left.type === 'Subscript' ? test.left.value : undefined
  return value?.type === 'Name' ? value : null
}

/** What a variable still may be after a test; null if that says nothing. */
function left(infer: Knowledge, test: Expression, variable: Variable): Type | null {
  const now = infer.narrow.get(variable) ?? variable.type
  if (test.type === 'Compare') {
    const [value] = test.comparators
    if (value?.type !== 'Constant' || test.ops[0] !== 'Eq') return null
    const isFirst = test.left.type === 'Subscript' && test.left.slice.type === 'Constant' && test.left.slice.value === '0'
    if (test.left.type === 'Subscript' && !isFirst) return null
    return new Type(...[...now.atoms].filter((atom) => atom.kind !== 'tuple' || atom.isRest === true
      || (isFirst ? atom.tag === undefined || (value.kind === 'str' && atom.tag === value.value) : atom.elems.length === Number(value.value))))
  }
  if (test.type !== 'Call' || test.args[1] === undefined) return null
  if (test.isPattern === true && test.args[1].type === 'Tuple') return new Type(...now.of('list', 'tuple', 'deque'))
  if (infer.narrow.has(variable) && test.isPattern !== true) return null
  const type = instances(infer, test.args[1])
  if (type.atoms.size === 0) return null
  // What is known about the variable is more exact than the class, if it has to do with it.
  const known = new Type(...[...now.atoms].filter((atom) => [...type.atoms].some((wanted) => wanted === atom || (wanted.kind !== 'error' && wanted.kind !== 'instance' && wanted.kind === atom.kind))))
  return known.atoms.size > 0 ? known : type
}

const PLAIN: Record<string, PlainKind[]> = { int: ['nat', 'int'], float: ['float', 'fraction'], str: ['str'], bool: ['bool'] }

/** The values of which `isinstance` with these classes is true. */
function instances(infer: Knowledge, classes: Expression): Type {
  if (classes.type === 'Tuple') return union(...classes.elts.map((one) => instances(infer, one)))
  const name = dotted(classes)
  const kinds = PLAIN[name]
  if (kinds !== undefined && infer.program.variables.get(classes) === undefined) return new Type(...kinds)
  switch (name) {
    case 'list': case 'set': return infer.list(classes, new Type(), name)
    case 'dict': return infer.dict(classes, new Type(), new Type())
    case 'tuple': return infer.tuple(classes, [])
    default: return caught(infer, classes)
  }
}
