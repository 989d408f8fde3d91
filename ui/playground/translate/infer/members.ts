// What names, attributes and subscripts give.
import { API, CONSTANTS, keyOf, methodOf, PROPERTIES } from '../api.ts'
import { findField, findMethod } from '../class-members.ts'
import { ERRORS, isErrorName } from '../errors.ts'
import type { ClassInfo } from '../scopes.ts'
import type { Attribute, Expression, Name, Subscript } from '../tree.ts'
import { named, Type, union, type Atom } from '../types.ts'
import { give } from './calls.ts'
import type { Knowledge } from './knowledge.ts'

export function nameType(infer: Knowledge, node: Name): Type {
  const variable = infer.program.variables.get(node)
  if (variable !== undefined) return infer.narrow.get(variable) ?? variable.type
  if (node.id === '__name__') return new Type('str')
  if (isErrorName(node.id)) return errorClass(node.id)
  return apiOrNothing(`builtins.${node.id}`)
}

const errorClass = (name: string): Type => new Type(named(ERRORS[name]?.python ?? name, 'errorClass'))
const apiOrNothing = (path: string): Type => path in API ? new Type(named(path, 'api')) : new Type()

/** What an attribute of a module is. */
export function memberOf(module: string, name: string): Type {
  const path = `${module}.${name}`
  if ((module === 'asyncio' || module === 'asyncio.exceptions') && isErrorName(name)) return errorClass(name)
  const constant = CONSTANTS[path]
  return constant === undefined ? new Type(named(path, 'api')) : new Type(constant.type)
}

export function attributeType(infer: Knowledge, node: Attribute): Type {
  const on = infer.expression(node.value)
  if (node.attr === '__name__') return new Type('str')
  const module = moduleOf(infer, node.value)
  if (module !== null) return memberOf(module, node.attr)
  return union(...[...on.atoms].map((atom) => attribute(infer, node, atom, node.attr)))
}

function moduleOf(infer: Knowledge, value: Expression): string | null {
  const variable = value.type === 'Name' ? infer.program.variables.get(value) : undefined
  return variable !== undefined && variable.type.only('module') ? infer.program.imports.get(variable) ?? null : null
}

function attribute(infer: Knowledge, at: object, atom: Atom, name: string): Type {
  switch (atom.kind) {
    case 'module': return memberOf(atom.name, name)
    case 'any': return new Type('any')
    case 'api': return apiOrNothing(`${atom.name}.${name}`)
    case 'super':
      for (const base of atom.cls.bases) {
        const routine = findMethod(base, name)
        if (routine !== null) return infer.function(at, routine, infer.instance(atom.cls), `super ${base.node.name}`)
      }
      return new Type()
    case 'instance': case 'class': return classMember(infer, atom, atom.cls, name)
    default: {
      const property = PROPERTIES[keyOf(atom)]?.[name] ?? PROPERTIES[atom.kind]?.[name]
      if (property !== undefined) return property(atom, infer, at)
      if (methodOf(atom, name) !== null) return new Type(infer.make(atom, `method ${name}`, () => ({ kind: 'method' as const, on: atom, name })))
      return new Type()
    }
  }
}

function classMember(infer: Knowledge, atom: Atom, cls: ClassInfo, name: string): Type {
  if (cls.isEnum && atom.kind === 'instance' && name === 'value') return infer.enumValues(cls)
  if (cls.isEnum && atom.kind === 'instance' && name === 'name') return new Type('str')
  const routine = findMethod(cls, name)
  if (routine === null) return findField(cls, name) ?? new Type()
  const { decorators } = routine
  if (decorators.includes('property')) {
    give(infer, routine, 0, new Type(atom))
    return routine.returns
  }
  const self = decorators.includes('staticmethod') ? null : decorators.includes('classmethod') ? infer.classAtom(cls) : atom.kind === 'class' ? null : atom
  return infer.function(routine, routine, self, `bound ${self === null ? '' : cls.node.name}`)
}

export function subscriptType(infer: Knowledge, node: Subscript): Type {
  const on = infer.expression(node.value)
  const key = infer.expression(node.slice)
  return union(...[...on.atoms].map((atom) => node.slice.type === 'Slice' ? sliced(infer, node, atom) : item(infer, atom, node.slice, key)))
}

function sliced(infer: Knowledge, node: Subscript, atom: Atom): Type {
  if (atom.kind === 'tuple') return infer.list(node, union(...atom.elems))
  return atom.kind === 'list' ? infer.list(node, atom.elem) : new Type(atom)
}

function item(infer: Knowledge, atom: Atom, index: Expression, key: Type): Type {
  switch (atom.kind) {
    case 'tuple': {
      const at = index.type === 'Constant' && index.kind === 'int' ? Number(index.value)
        : index.type === 'UnaryOp' && index.operand.type === 'Constant' ? -Number(index.operand.value) : null
      return at === null ? union(...atom.elems) : atom.elems.at(at) ?? new Type()
    }
    case 'list': case 'deque': return atom.elem
    case 'dict':
      if (atom.flavour === 'defaultdict') infer.grow(atom.key, key)
      return atom.flavour === 'Counter' ? new Type('int') : atom.value
    case 'str': case 'any': return new Type(atom)
    // `Queue[int]()`: a type argument changes nothing.
    case 'class': return new Type(atom.cls.isEnum ? infer.instance(atom.cls) : atom)
    case 'api': return new Type(atom)
    default: return new Type()
  }
}
