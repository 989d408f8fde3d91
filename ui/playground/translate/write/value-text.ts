// How values print: what `str` and `repr` give.
import { findMethod } from '../class-members.ts'
import { LEVEL, tight, type Code } from '../code.ts'
import { ERRORS, TEXT_OF_ITS_OWN } from '../errors.ts'
import type { ClassInfo } from '../scopes.ts'
import type { Expression } from '../tree.ts'
import { union, type Atom, type Type } from '../types.ts'
import { notKnown, source, type Writer } from './writer.ts'

/** Whether it is an error, or None. */
export function isErrorInstance(type: Type): boolean {
  return type.atoms.size > 0 && [...type.atoms].every((atom) => atom.kind === 'error' || atom.kind === 'none' || (atom.kind === 'instance' && atom.cls.error !== null))
}

/** The text of a value as a string, not only in a template. */
export function asString(w: Writer, node: Expression): string {
  const { text } = w.text(node)
  const type = w.typeOf(node)
  if (type.only('instance')) return `${w.global('String')}(${text})`
  return type.only('str') || /^('|(str|repr|float)\()/.test(text) || text.endsWith('.message') ? text : `\`\${${text}}\``
}

export function text(w: Writer, node: Expression): Code {
  const type = w.typeOf(node)
  if (node.type === 'JoinedStr' || type.only('str')) return w.expression(node)
  if (node.type === 'Constant' && node.kind === 'none') return tight("'None'")
  if (node.type === 'Constant' && node.kind === 'bool') return tight(node.value === true ? "'True'" : "'False'")
  if (type.only('nat', 'int', 'fraction', 'str')) return w.expression(node)
  if (type.unknown) return w.unknown(node, whyUnprintable(node, type))
  if (type.only('float', 'fraction')) return tight(`${w.python('float')}(${w.code(node)})`)
  if (isErrorInstance(type) && !type.has('none')) return errorText(w, node, type)
  if (type.only('instance')) return instanceText(w, node, type)
  return shaped(w, type.only('list', 'tuple', 'dict', 'set') ? 'repr' : 'str', node, type)
}

export function repr(w: Writer, node: Expression): Code {
  const type = w.typeOf(node)
  return isGroup(type) ? w.problem(node, TEXT_OF_GROUPS) : shaped(w, 'repr', node, type)
}

const TEXT_OF_GROUPS = "the text of an exception group: a TaskGroup's is our own"
const isGroup = (type: Type): boolean => type.of('error').some(({ name }) => name === 'ExceptionGroup')

function errorText(w: Writer, node: Expression, type: Type): Code {
  const plain = [...type.atoms].every((atom) => atom.kind === 'error' ? !TEXT_OF_ITS_OWN.has(atom.name) && ERRORS[atom.name]?.from !== 'loopscope' : atom.kind === 'instance' && isPlainMessage(atom.cls))
  if (plain) return tight(`${w.code(node, LEVEL.call)}.message`)
  if (isGroup(type)) return w.problem(node, TEXT_OF_GROUPS)
  const own = type.of('instance').some(({ cls }) => findMethod(cls, '__str__') !== null)
  return tight(`${own ? w.global('String') : w.python('str')}(${w.code(node)})`)
}

function isPlainMessage(cls: ClassInfo): boolean {
  return findMethod(cls, '__str__') === null && !cls.isDataclass && cls.error !== null && cls.error !== 'KeyError'
}

function instanceText(w: Writer, node: Expression, type: Type): Code {
  for (const { cls } of type.of('instance')) {
    if (findMethod(cls, '__str__', '__repr__') === null && !cls.isDataclass && !cls.isEnum) return w.problem(node, 'this prints an address: the class has no __str__ or __repr__')
    w.shown.add(cls)
  }
  return w.expression(node)
}

function shaped(w: Writer, name: 'repr' | 'str', node: Expression, type: Type): Code {
  const shape = shapeOf(w, type)
  if (shape === null) return type.unknown ? w.unknown(node, whyUnprintable(node, type)) : w.problem(node, whyUnprintable(node, type))
  return tight(`${w.python(name)}(${w.code(node)}${shape === '' ? '' : `, '${shape}'`})`)
}

function whyUnprintable(node: Expression, type: Type): string {
  if (type.unknown) return notKnown(node, 'how it prints: add an annotation')
  if (type.has('float') && type.has('nat', 'int')) return `'${source(node)}' is a float or a whole number, which print differently: TypeScript has one kind of number`
  if (type.has('task', 'future', 'coro')) return 'the text of a task or future is our own'
  return `how '${source(node)}' prints is not translated`
}

/** The shape that `repr` needs to print the value; null if it cannot print it. */
export function shapeOf(w: Writer, type: Type): string | null {
  const shapes = new Set<string>()
  for (const atom of type.atoms) {
    const shape = shapeOfAtom(w, atom)
    if (shape === null) return null
    if (shape !== '') shapes.add(shape)
  }
  if (type.has('float') && type.has('nat', 'int')) return null
  if (shapes.size > 1 || (type.has('list') && type.of('tuple').some(({ isList }) => !isList))) return null
  return [...shapes][0] ?? ''
}

function shapeOfAtom(w: Writer, atom: Atom): string | null {
  /** A container's shape, which need not be said if its parts print as they are. */
  const container = (name: string, needed: boolean, ...types: Type[]): string | null => {
    const shapes = types.map((type) => type.atoms.size === 0 ? '' : shapeOf(w, type))
    if (shapes.some((shape) => shape === null)) return null
    if (shapes.every((shape) => shape === '')) return needed ? name : ''
    return `${name}[${shapes.map((shape) => shape === '' ? '_' : shape).join(', ')}]`
  }
  switch (atom.kind) {
    case 'nat': case 'int': case 'fraction': case 'str': case 'bool': case 'none': case 'void': return ''
    case 'float': return 'float'
    case 'list': return container('list', false, atom.elem)
    case 'tuple': return atom.isList ? container('list', false, union(...atom.elems)) : container('tuple', true, ...atom.elems)
    case 'dict': return atom.flavour === 'dict' ? container('dict', false, atom.key, atom.value) : null
    case 'error': return atom.name === 'ExceptionGroup' ? null : ''
    case 'instance': {
      const { cls } = atom
      if (cls.error !== null) return findMethod(cls, '__repr__', '__init__') === null ? '' : null
      if (!cls.isDataclass && !cls.isEnum && findMethod(cls, '__repr__') === null) return null
      w.shown.add(cls)
      return cls.isEnum ? null : ''
    }
    default: return null
  }
}
