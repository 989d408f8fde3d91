// What is gone through: iterables, arrays of them, and comprehensions.
import { arrowBody, LEVEL, tight, type Code } from '../code.ts'
import { targetsOf } from '../scopes.ts'
import { contains, everyExpression, type Comprehension, type DictComp, type Expression, type ListComp } from '../tree.ts'
import { elementsOf } from '../types.ts'
import { arrayOf } from '../typescript-types.ts'
import { pattern } from './targets.ts'
import { source, type Writer } from './writer.ts'

export function iterable(w: Writer, node: Expression): Code {
  const type = w.typeOf(node).without('none')
  if (node.type === 'GeneratorExp' || node.type === 'ListComp') return w.array(node)
  if (type.unknown) return w.unknown(node, `it is not known what '${source(node)}' is, and so not how to go through it`)
  if (type.only('dict')) return tight(`${w.present(node, LEVEL.call)}.keys()`)
  if (type.has('set') && !w.orderFree) {
    const items = elementsOf(type, 'set')
    if (!items.only('task', 'future', 'instance', 'queue')) return w.problem(node, 'the order of a set is an accident in Python: go through sorted(…) of it')
  }
  if (type.has('class')) return w.problem(node, 'going through an Enum')
  if (type.has('stream')) return w.problem(node, 'an asynchronous generator here: use async for')
  // TypeScript would take pairs for lists of anything in them.
  if ((node.type === 'List' || node.type === 'Tuple') && elementsOf(type, 'list').has('tuple')) return { text: `${w.code(node)} as ${arrayOf(w.ts(elementsOf(type, 'list')))}`, level: LEVEL.relation }
  const code = w.presentCode(node)
  return code.level < LEVEL.unary ? tight(`(${code.text})`) : code
}

export function array(w: Writer, node: Expression): Code {
  if (node.type === 'ListComp' || node.type === 'GeneratorExp') return comprehension(w, node, () => w.code(node.elt), [node.elt])
  const items = w.iterable(node)
  if (!w.typeOf(node).without('none').only('list', 'deque', 'tuple')) return tight(`[...${items.text}]`)
  return items.level < LEVEL.call ? tight(`(${items.text})`) : items
}

/** An array of what `element` writes for each round; `elements` are the expressions in it. */
export function comprehension(w: Writer, node: ListComp | DictComp, element: () => string, elements: readonly Expression[]): Code {
  const { generators } = node
  const parts = [...elements, ...generators.flatMap(({ ifs }) => ifs), ...generators.slice(1).map(({ iter }) => iter)]
  if (parts.some((part) => contains(part, 'Await')) || generators.some(({ is_async: isAsync }) => isAsync === 1)) return awaitingLoop(w, node, element)
  const names = generators.flatMap(({ target }) => targetsOf(target).map(({ id }) => id))
  for (const part of parts) {
    if ([...everyExpression(part)].some((inner) => inner.type === 'Lambda' && names.some((name) => uses(inner.body, name)))) {
      w.problem(part, 'a lambda that uses the variable of a comprehension, which has its last value when the lambda runs')
    }
  }
  return tight(mapped(w, generators, element, elements))
}

function uses(node: Expression, name: string): boolean {
  for (const inner of everyExpression(node)) if (inner.type === 'Name' && inner.id === name) return true
  return false
}

function mapped(w: Writer, [generator, ...others]: readonly Comprehension[], element: () => string, elements: readonly Expression[]): string {
  if (generator === undefined) return '[]'
  const { target, iter, ifs } = generator
  const last = others.length === 0
  const map = last ? 'map' : 'flatMap'
  const inner = (): string => last ? element() : mapped(w, others, element, elements)
  const parameter = (): string => pattern(w, target)
  const plain = ifs.length === 0 && iter.type === 'Call' && iter.args.length === 1 ? iter.args[0] : undefined
  if (plain !== undefined && last && target.type === 'Name' && w.isCallOf(iter, 'builtins.range')) {
    const used = elements.some((part) => uses(part, target.id))
    return `${w.global('Array')}.from({ length: ${w.code(plain)} }, (${used ? `_, ${w.code(target)}` : ''}) => ${arrowBody(inner())})`
  }
  // `enumerate` of a list is the second parameter of map.
  if (plain !== undefined && w.isCallOf(iter, 'builtins.enumerate') && iter.keywords.length === 0 && target.type === 'Tuple' && target.elts.length === 2 && w.typeOf(plain).only('list', 'deque')) {
    const [index, value] = target.elts as [Expression, Expression]
    return `${w.array(plain).text}.${map}((${pattern(w, value)}, ${pattern(w, index)}) => ${arrowBody(inner())})`
  }
  let text = w.array(iter).text
  for (const test of ifs) text += `.filter((${parameter()}) => ${w.test(test).text})`
  const body = inner()
  if (last && target.type === 'Name' && body === w.code(target)) return ifs.length > 0 || text.startsWith('[...') ? text : `[...${text}]`
  return `${text}.${map}((${parameter()}) => ${arrowBody(body)})`
}

/** A comprehension that awaits: a loop before the statement. */
function awaitingLoop(w: Writer, node: ListComp | DictComp, element: () => string): Code {
  const name = w.temporary('found')
  const lines = [`const ${name}: ${w.ts(elementsOf(w.typeOf(node), 'list', 'set', 'iter'))}[] = []`]
  let indent = ''
  const nested = w.before
  for (const { target, iter, ifs, is_async: isAsync } of node.generators) {
    w.before = []
    if (isAsync === 1) w.problem(node, 'async for in a comprehension: write a loop')
    const head = `${indent}for (const ${pattern(w, target)} of ${w.iterable(iter).text}) {`
    lines.push(...w.before, head)
    indent += '  '
    for (const test of ifs) lines.push(`${indent}if (${w.test(test, true).text}) continue`)
  }
  w.before = []
  const value = element()
  lines.push(...w.before.map((line) => indent + line), `${indent}${name}.push(${value})`)
  while (indent !== '') {
    indent = indent.slice(2)
    lines.push(`${indent}}`)
  }
  w.before = [...nested, ...lines]
  return tight(name)
}
