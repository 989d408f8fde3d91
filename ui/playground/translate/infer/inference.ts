// Finds out what the values of a program are, without running it. It goes through the whole program until no type grows any more.
// Every function is looked at with all arguments that any call gives it.
import type { Program, Routine } from '../scopes.ts'
import type { Expression, Module, Sequence, Statement } from '../tree.ts'
import { Type, union } from '../types.ts'
import { assign, goThrough } from './assigned.ts'
import { call, invoke, iterated } from './calls.ts'
import { parameters } from './definitions.ts'
import { Knowledge } from './knowledge.ts'
import { attributeType, nameType, subscriptType } from './members.ts'
import { narrowed } from './narrowing.ts'
import { binary, constant, unary } from './operations.ts'
import { follow } from './statement-types.ts'

const MOST_ROUNDS = 60

/** Everything that is known about the values of a program. */
export function infer(tree: Module, program: Program): Knowledge {
  const inference = new Inference(program)
  for (let round = 0; round < MOST_ROUNDS; round++) {
    inference.changed = false
    inference.block(tree.body)
    if (!inference.changed) break
  }
  return inference
}

class Inference extends Knowledge {
  expression(expression: Expression): Type {
    return this.note(expression, this.#evaluate(expression))
  }

  block(body: readonly Statement[]): void {
    for (const statement of body) follow(this, statement)
  }

  iterated(at: object, type: Type): Type {
    return iterated(this, at, type)
  }

  invoke(at: object, type: Type, args: Type[]): Type {
    return invoke(this, at, type, args)
  }

  #evaluate(node: Expression): Type {
    switch (node.type) {
      case 'Constant': return constant(node)
      case 'Name': return nameType(this, node)
      case 'Attribute': return attributeType(this, node)
      case 'Subscript': return subscriptType(this, node)
      case 'Slice': this.#each([node.lower, node.upper, node.step]); return new Type()
      case 'Call': return call(this, node)
      case 'BinOp': return binary(this, node, node.op, this.expression(node.left), this.expression(node.right))
      case 'BoolOp':
        if (node.op === 'And') return union(...this.#and(node.values))
        // What is left of `or` goes on only if it counts as true.
        return union(...node.values.map((value, i) => i < node.values.length - 1 ? this.expression(value).without('none') : this.expression(value)))
      case 'UnaryOp': return unary(node.op, this.expression(node.operand))
      case 'Compare': this.#each([node.left, ...node.comparators]); return new Type('bool')
      case 'IfExp': this.expression(node.test); return union(narrowed(this, node.test, () => this.expression(node.body)), this.expression(node.orelse))
      case 'Lambda': {
        const routine = this.program.routines.get(node) as Routine
        parameters(this, routine)
        this.grow(routine.returns, this.expression(node.body))
        return this.function(node, routine)
      }
      case 'List': return this.list(node, this.#items(node.elts))
      case 'Set': return this.list(node, this.#items(node.elts), 'set')
      case 'Tuple':
        if (node.elts.some(({ type }) => type === 'Starred')) return this.list(node, this.#items(node.elts))
        return this.#tuple(node)
      case 'Dict': {
        const pairs = node.values.flatMap((value, i) => {
          const key = node.keys[i] ?? null
          return key === null ? this.expression(value).of('dict') : [{ key: this.expression(key), value: this.expression(value) }]
        })
        return this.dict(node, union(...pairs.map(({ key }) => key)), union(...pairs.map(({ value }) => value)))
      }
      case 'ListComp': return this.list(node, this.#comprehension(node, node.elt))
      case 'SetComp': return this.list(node, this.#comprehension(node, node.elt), 'set')
      case 'GeneratorExp': return this.list(node, this.#comprehension(node, node.elt), 'iter')
      case 'DictComp': {
        const key = this.#comprehension(node, node.key)
        return this.dict(node, key, this.expression(node.value))
      }
      case 'JoinedStr': this.#each(node.values); return new Type('str')
      case 'FormattedValue': this.#each([node.value, node.format_spec]); return new Type('str')
      case 'Await': return this.awaited(this.expression(node.value))
      case 'Yield': return this.#yields(node.value === null ? new Type('none') : this.expression(node.value))
      case 'YieldFrom': return this.#yields(this.iterated(node, this.expression(node.value)))
      case 'Starred': return this.expression(node.value)
      case 'NamedExpr': {
        const value = this.expression(node.value)
        assign(this, node.target, value)
        return value
      }
    }
  }

  #tuple(node: Sequence): Type {
    const type = this.tuple(node, node.elts.map((elt) => this.expression(elt)))
    const [first] = node.elts
    // Patterns know such tuples by their first item.
    if (this.program.hasPatterns && first?.type === 'Constant' && first.kind === 'str') for (const atom of type.of('tuple')) atom.tag = String(first.value)
    return type
  }

  /** Each value is looked at only if those before it are true. */
  #and([first, ...rest]: readonly Expression[]): Type[] {
    if (first === undefined) return []
    const type = this.expression(first)
    return [type, ...narrowed(this, first, () => this.#and(rest))]
  }

  #each(expressions: readonly (Expression | null)[]): void {
    for (const one of expressions) if (one !== null) this.expression(one)
  }

  #items(elts: readonly Expression[]): Type {
    return union(...elts.map((elt) => elt.type === 'Starred' ? this.iterated(elt, this.expression(elt.value)) : this.expression(elt)))
  }

  #comprehension({ generators }: Expression & { type: 'ListComp' | 'SetComp' | 'GeneratorExp' | 'DictComp' }, element: Expression): Type {
    for (const generator of generators) {
      goThrough(this, generator)
      this.#each(generator.ifs)
    }
    return this.expression(element)
  }

  /** What a generator yields, which nothing is sent into. */
  #yields(type: Type): Type {
    if (this.routine !== null) this.grow(this.routine.yields, type)
    return new Type('none')
  }
}
