// What the classes in `except` and `isinstance` say about a value.
import { dotted, type Variable } from '../scopes.ts'
import type { Expression } from '../tree.ts'
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
  const tests = test.type === 'BoolOp' && test.op === 'And' ? test.values : [test]
  const added: Variable[] = []
  for (const one of tests) {
    if (one.type !== 'Call' || dotted(one.func) !== 'isinstance' || one.args[0]?.type !== 'Name' || one.args[1] === undefined) continue
    const variable = infer.program.variables.get(one.args[0])
    const type = instances(infer, one.args[1])
    if (variable === undefined || type.atoms.size === 0 || infer.narrow.has(variable)) continue
    // What is known about the variable is more exact than the class, if it has to do with it.
    const known = new Type(...[...variable.type.atoms].filter((atom) => [...type.atoms].some((wanted) => wanted === atom || (wanted.kind !== 'error' && wanted.kind !== 'instance' && wanted.kind === atom.kind))))
    infer.narrow.set(variable, known.atoms.size > 0 ? known : type)
    added.push(variable)
  }
  const result = inside()
  for (const variable of added) infer.narrow.delete(variable)
  return result
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
