// Expressions in TypeScript, each with the type that it has in Python in mind: how it prints, what counts as true, what is equal.
import { lambda, LEVEL, operand, quoted, tight, type Code } from '../code.ts'
import type { Routine } from '../scopes.ts'
import type { At, Constant, Expression, IfExp, Lambda } from '../tree.ts'
import type { Type } from '../types.ts'
import { call } from './calls.ts'
import { compare, either, instanceOf, test } from './conditions.ts'
import { checkKeys, dict, dictOf, items, setOf as writeSet, subscript } from './containers.ts'
import { formatted, template } from './formatting.ts'
import { array, iterable } from './iteration.ts'
import { binary, unary } from './operators.ts'
import { attribute, name } from './references.ts'
import { text } from './value-text.ts'
import { Writer } from './writer.ts'

export class Expressions extends Writer {
  expression(node: Expression): Code {
    switch (node.type) {
      case 'Constant': return this.#constant(node)
      case 'Name': return name(this, node)
      case 'Attribute': return attribute(this, node)
      case 'Subscript': return subscript(this, node)
      case 'Slice': return this.problem(node, 'a slice here')
      case 'Call': return call(this, node)
      case 'BinOp': return binary(this, node)
      case 'BoolOp': return either(this, node)
      case 'UnaryOp': return node.op === 'Not' ? this.test(node.operand, true) : unary(this, node)
      case 'Compare': return compare(this, node)
      case 'IfExp': return this.#choice(node)
      case 'Lambda': return this.#lambda(node)
      case 'List': case 'Tuple': return tight(`[${items(this, node.elts)}]`)
      case 'Set': case 'SetComp': return writeSet(this, node)
      case 'Dict': return dict(this, node)
      case 'DictComp': return dictOf(this, node)
      case 'ListComp': case 'GeneratorExp': return this.array(node)
      case 'JoinedStr': return template(this, node)
      case 'FormattedValue': return tight(`\`\${${formatted(this, node)}}\``)
      case 'Await': {
        if (this.routines.at(-1)?.node.type === 'Lambda') return this.problem(node, 'await in a lambda')
        const value = this.present(node.value, LEVEL.yield)
        if (this.typeOf(node.value).has('instance')) this.problem(node, 'await of an object with __await__')
        return { text: `yield* ${value}`, level: LEVEL.yield }
      }
      case 'Yield': return this.#yield(node.value)
      case 'YieldFrom': return { text: `yield* ${this.iterable(node.value).text}`, level: LEVEL.yield }
      case 'Starred': return this.problem(node, 'a star here')
      case 'NamedExpr': return { text: `${this.code(node.target)} = ${this.code(node.value)}`, level: LEVEL.yield }
    }
  }

  text(node: Expression): Code {
    return text(this, node)
  }

  array(node: Expression): Code {
    return array(this, node)
  }

  iterable(node: Expression): Code {
    return iterable(this, node)
  }

  test(node: Expression, negated = false): Code {
    return test(this, node, negated)
  }

  instanceOf(value: Code, classes: Expression): Code {
    return instanceOf(this, value, classes)
  }

  checkKeys(node: At, key: Type): void {
    checkKeys(this, node, key)
  }

  #constant(node: Constant): Code {
    switch (node.kind) {
      case 'none': return tight('null')
      case 'bool': case 'code': return tight(String(node.value))
      case 'str': return tight(quoted(String(node.value)))
      case 'int':
        if (!Number.isSafeInteger(Number(node.value))) return this.problem(node, 'a whole number beyond 2^53')
        return tight(String(node.value))
      case 'float': return tight(node.value === 'inf' ? 'Infinity' : String(Number(node.value)))
      default: return this.problem(node, node.kind === 'ellipsis' ? '...' : `a literal of ${node.kind}`)
    }
  }

  #choice(node: IfExp): Code {
    const condition = operand(this.test(node.test), LEVEL.conditional + 1)
    return { text: `${condition} ? ${this.code(node.body, LEVEL.conditional)} : ${this.code(node.orelse, LEVEL.conditional)}`, level: LEVEL.conditional }
  }

  #lambda(node: Lambda): Code {
    const { args } = node
    const routine = this.program.routines.get(node) as Routine
    this.routines.push(routine)
    const parameters = args.args.map(({ arg }, i) => {
      const fallback = args.defaults[i - (args.args.length - args.defaults.length)]
      const { code, type } = routine.scope.own(arg)
      return `${code}: ${this.ts(type)}${fallback === undefined ? '' : ` = ${this.code(fallback)}`}`
    })
    if (args.vararg !== null) parameters.push(`...${routine.scope.own(args.vararg.arg).code}: any[]`)
    if (args.kwarg !== null || args.kwonlyargs.length > 0) this.problem(node, 'keyword parameters of a lambda')
    const code = lambda(parameters.join(', '), this.code(node.body))
    this.routines.pop()
    return code
  }

  #yield(value: Expression | null): Code {
    const given = value === null ? '' : this.code(value)
    const text = this.routines.at(-1)?.isAsync === true ? `yield new ${this.python('Item')}(${given || 'null'})` : `yield ${given}`.trim()
    return { text, level: LEVEL.yield }
  }
}
