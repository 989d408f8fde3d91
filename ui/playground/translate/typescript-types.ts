// The types of TypeScript that go with what is known about values.
import { camelCase } from './names.ts'
import { parametersOf, type Routine, type Variable } from './scopes.ts'
import { quoted } from './code.ts'
import type { Module } from './entry.ts'
import { errorName } from './errors.ts'
import { Type, union, type Atom } from './types.ts'

export interface TypeNames {
  /** Imports a name. */
  use(name: string, from?: Module): string
  variable(routine: Routine, name: string): Variable | undefined
}

/** Types that TypeScript finds out from a value. */
export const OBVIOUS = new Set(['number', 'string', 'boolean'])

/** Types in types that contain themselves end at this depth. */
const DEEPEST = 5

/** A type as TypeScript writes it; `any` for one that is not known. */
export function typeText(type: Type, names: TypeNames, depth = 0): string {
  if (type.unknown || depth > DEEPEST) return 'any'
  const inner = (...types: Type[]): string => typeText(union(...types), names, depth + 1)
  const texts = new Set<string>()
  const elements = (kind: Atom['kind']): Type[] => [...type.atoms].flatMap((atom) => atom.kind === kind && 'elem' in atom ? [atom.elem] : [])
  for (const atom of type.atoms) {
    switch (atom.kind) {
      case 'nat': case 'int': case 'fraction': case 'float': texts.add('number'); break
      case 'str': texts.add('string'); break
      case 'bool': texts.add('boolean'); break
      case 'bytes': texts.add('Uint8Array'); break
      case 'void': texts.add('void'); break
      case 'list': case 'deque': texts.add(arrayOf(inner(...elements('list'), ...elements('deque')))); break
      case 'set': texts.add(`Set<${inner(...elements('set'))}>`); break
      case 'iter': texts.add(`Iterable<${inner(...elements('iter'))}>`); break
      case 'stream': texts.add(`${names.use('Stream', './python.ts')}<${inner(...elements('stream'))}>`); break
      case 'dict': {
        const dicts = type.of('dict')
        const name = dicts.every(({ flavour }) => flavour === 'dict') ? 'Map' : names.use('DefaultMap', './python.ts')
        texts.add(`${name}<${inner(...dicts.map(({ key }) => key))}, ${inner(...dicts.map(({ value }) => value))}>`)
        break
      }
      case 'tuple': texts.add(atom.isRest === true ? 'any[]' : `[${atom.elems.map((elem, i) => i === 0 && atom.tag !== undefined ? quoted(atom.tag) : inner(elem)).join(', ')}]`); break
      case 'coro': case 'task': case 'future': {
        const kinds = new Set(type.of('coro', 'task', 'future').map(({ kind }) => kind))
        const name = kinds.size > 1 ? 'Awaitable' : { coro: 'Coroutine', task: 'Task', future: 'Future' }[atom.kind]
        texts.add(`${names.use(name)}<${inner(...type.of('coro', 'task', 'future').map(({ result }) => result))}>`)
        break
      }
      case 'context': texts.add('unknown'); break
      case 'queue': texts.add(`${names.use(atom.name)}<${inner(...type.of('queue').map(({ elem }) => elem))}>`); break
      case 'var': texts.add(`${names.use('ContextVar')}<${inner(atom.value)}>`); break
      case 'class': texts.add(`typeof ${atom.cls.variable.code}`); break
      case 'instance': texts.add(atom.cls.variable.code); break
      case 'error': texts.add(errorText(atom.name, names)); break
      case 'errorClass': texts.add(`typeof ${errorText(atom.name, names)}`); break
      case 'routine': texts.add(type.of('routine').length > 1 ? `((...args: any[]) => ${inner(...type.of('routine').map(({ routine }) => resultOf(routine)))})` : `(${signatureOf(atom.routine, names, depth + 1, atom.self !== null)})`); break
      case 'partial': texts.add('((...args: any[]) => any)'); break
      case 'object': texts.add(objectText(atom.name, names)); break
      case 'none': break
      case 'api': case 'method': texts.add('((...args: any[]) => any)'); break
      default: return 'any'
    }
  }
  if (type.has('none')) texts.add('null')
  if (texts.has('Error')) for (const { name } of type.of('error')) if (errorName(name).code !== 'Error') texts.delete(errorName(name).code)
  const [only] = texts
  if (texts.size === 1 && only !== undefined && type.of('routine').length > 0) return only.replace(/^\((.*)\)$/s, '$1')
  return [...texts].join(' | ')
}

/** The type of an array. */
export function arrayOf(elem: string): string {
  return / \| |=>|^typeof /.test(elem) && !isOneTuple(elem) ? `(${elem})[]` : `${elem}[]`
}

/** Whether the bracket that a type begins with ends with the type. */
function isOneTuple(text: string): boolean {
  let depth = 0
  for (const [i, letter] of [...text].entries()) {
    if (letter === '[') depth++
    else if (letter === ']') depth--
    if (depth === 0) return i > 0 && i === text.length - 1
  }
  return false
}

function errorText(name: string, names: TypeNames): string {
  const { code, from } = errorName(name)
  return from === null ? code : names.use(code, from)
}

function objectText(name: string, names: TypeNames): string {
  switch (name) {
    case 'loop': return `ReturnType<typeof ${names.use('getRunningLoop')}>`
    case 'handle': return names.use('Handle')
    case 'token': return `${names.use('Token')}<any>`
    case 'context': return names.use('Context')
    case 'Random': return names.use('Random', './random.ts')
    case 'suppress': return 'unknown'
    default: return names.use(name)
  }
}

/** What calling a routine gives. */
export function resultOf(routine: Routine): Type {
  if (routine.isGenerator) return new Type({ kind: routine.isAsync ? 'stream' : 'iter', elem: routine.yields })
  return routine.isAsync ? new Type({ kind: 'coro', result: routine.returns }) : routine.returns
}

function signatureOf(routine: Routine, names: TypeNames, depth: number, bound: boolean): string {
  const parameters = parametersOf(routine.node).slice(bound ? 1 : 0)
  const { vararg, kwarg, defaults } = routine.node.args
  const optional = routine.node.args.posonlyargs.length + routine.node.args.args.length - defaults.length - (bound ? 1 : 0)
  const texts = parameters.filter((parameter) => parameter !== kwarg).map((parameter, i) => {
    if (parameter === vararg) return '...args: any[]'
    const variable = names.variable(routine, parameter.arg)
    return `${camelCase(parameter.arg)}${i >= optional ? '?' : ''}: ${typeText(variable?.type ?? new Type(), names, depth)}`
  })
  const result = resultOf(routine)
  return `(${texts.join(', ')}) => ${result.atoms.size === 0 ? 'any' : typeText(result, names, depth)}`
}
