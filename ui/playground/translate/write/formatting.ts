// Texts that are put together: f-strings, `%`, `format`, and print with its separators.
import { LEVEL, quoted, templated, tight, type Code } from '../code.ts'
import { formattedValue, joined, literal, type At, type Attribute, type Call, type Constant, type Expression, type FormattedValue, type JoinedStr } from '../tree.ts'
import { elementsOf, NUMERIC } from '../types.ts'
import { asString, repr } from './value-text.ts'
import { notKnown, type Writer } from './writer.ts'

export function template(w: Writer, node: JoinedStr): Code {
  if (node.values.every(({ type }) => type === 'Constant')) return tight(quoted(constantText(node)))
  const [only] = node.values
  if (node.values.length === 1 && only?.type === 'FormattedValue') {
    const text = formatted(w, only)
    if (/^(str|repr|float|fixed|format|nameOf)\(/.test(text) || w.typeOf(only.value).only('str') && only.format_spec === null && only.conversion === -1) return tight(text)
  }
  return tight(`\`${node.values.map((value) => value.type === 'Constant' ? templated(String(value.value)) : `\${${formatted(w, value as FormattedValue)}}`).join('')}\``)
}

const constantText = ({ values }: JoinedStr): string => values.map((value) => String((value as Constant).value)).join('')

export function formatted(w: Writer, node: FormattedValue): string {
  const { value, conversion, format_spec: spec } = node
  const type = w.typeOf(value)
  if (conversion === 97) return w.problem(node, '!a').text
  if (spec === null) return conversion === 114 ? repr(w, value).text : w.text(value).text
  const format = spec.values.every((part) => part.type === 'Constant') ? constantText(spec) : null
  const simple = conversion === -1 && format !== null ? simplyFormatted(w, node, format) : null
  if (simple !== null) return simple
  const text = format === null ? template(w, spec).text : quoted(format)
  const call = (code: string, kind = ''): string => `${w.python('format')}(${code}, ${text}${kind})`
  if (conversion === 114) return call(repr(w, value).text)
  if (conversion === 115) return call(asString(w, value))
  if (type.only('float', 'fraction')) return call(w.code(value), type.has('float') ? ", 'float'" : '')
  if (/[df%exXbos]$/.test(format ?? '') || type.only('str') || type.only('nat', 'int', 'fraction')) return call(w.code(value))
  if (type.unknown) return w.unknown(value, notKnown(value, 'how it prints: add an annotation')).text
  return type.only('str', 'bool', 'none', 'instance') ? call(asString(w, value)) : w.problem(node, 'this format of this value').text
}

/** A format that JavaScript has a method for. */
function simplyFormatted(w: Writer, node: FormattedValue, format: string): string | null {
  const { value } = node
  const type = w.typeOf(value)
  const decimals = /^\.(\d+)f$/.exec(format)
  if (decimals !== null) return type.unknown || type.only(...NUMERIC, 'none') ? `${w.python('fixed')}(${w.present(value)}, ${decimals[1]})` : w.problem(node, 'this format of this value').text
  if (format === 'd' && type.only('nat', 'int')) return w.code(value)
  const pad = /^([<>])?([1-9]\d*)d?$/.exec(format)
  if (pad === null || !(type.only('str') || type.only('nat', 'int'))) return null
  const [, side = type.only('str') ? '<' : '>', width] = pad
  const text = type.only('str') ? w.code(value, LEVEL.call) : `${w.global('String')}(${w.code(value)})`
  return `${text}.${side === '<' ? 'padEnd' : 'padStart'}(${width})`
}

/** `'%s of %d' % (a, b)` as an f-string. */
export function percent(w: Writer, node: At, text: string, values: Expression): Code {
  const given = values.type === 'Tuple' ? [...values.elts] : [values]
  const parts: Expression[] = []
  let rest = text
  for (;;) {
    const match = /%(%|([-0]?\d*(?:\.\d+)?)([sdrf]))/.exec(rest)
    if (match === null) break
    const [whole, kind, spec = '', type] = match
    parts.push(literal(node, rest.slice(0, match.index)))
    rest = rest.slice(match.index + whole.length)
    const value = kind === '%' ? undefined : given.shift()
    if (kind === '%') parts.push(literal(node, '%'))
    else if (value === undefined) return w.problem(node, 'too few values for the format')
    else {
      const flags = spec.startsWith('-') ? `<${spec.slice(1)}` : /^[1-9]/.test(spec) ? `>${spec}` : spec
      const format = `${flags}${type === 'f' ? (spec.includes('.') ? 'f' : '.6f') : ''}`
      parts.push(formattedValue(node, value, format === '' ? null : format, type === 'r' ? '!r' : '!s'))
    }
  }
  parts.push(literal(node, rest))
  if (given.length > 0 || rest.includes('%')) return w.problem(node, 'this format')
  return template(w, joined(node, parts))
}

/** `'{} of {}'.format(a, b)` as an f-string. */
export function formatCall(w: Writer, node: Call): Code {
  const on = (node.func as Attribute).value
  if (on.type !== 'Constant') return w.problem(node, 'format of something other than a literal')
  const parts: Expression[] = []
  let next = 0
  for (const piece of String(on.value).split(/(\{\{|\}\}|\{[^{}]*\})/)) {
    const field = /^\{(\w*)(?:!([rs]))?(?::([^}]*))?\}$/.exec(piece)
    if (field === null) {
      parts.push(literal(node, piece === '{{' ? '{' : piece === '}}' ? '}' : piece))
      continue
    }
    const [, name = '', conversion, spec] = field
    const value = /^\d*$/.test(name) ? node.args[name === '' ? next++ : Number(name)] : node.keywords.find(({ arg }) => arg === name)?.value
    if (value === undefined) return w.problem(node, `format has no value for {${name}}`)
    parts.push(formattedValue(node, value, spec ?? null, conversion === 'r' ? '!r' : ''))
  }
  return template(w, joined(node, parts))
}

export function printCall(w: Writer, node: Call): string {
  const option = (name: string): Expression | null => node.keywords.find(({ arg }) => arg === name)?.value ?? null
  if (option('file') !== null) return w.problem(node, 'print to a file').text
  for (const { arg } of node.keywords) if (!['sep', 'end', 'flush'].includes(arg ?? '')) return w.problem(node, '** in print').text
  const [sep, end] = [option('sep'), option('end')]
  if (node.args.some(({ type }) => type === 'Starred')) return printStar(w, node, sep, end)
  if (sep === null && end === null) {
    return `${w.print()}(${node.args.map((arg) => w.typeOf(arg).only('nat', 'int', 'str', 'fraction') ? w.code(arg) : asString(w, arg)).join(', ')})`
  }
  const parts = (value: Expression): Expression[] => value.type === 'JoinedStr' ? value.values : [value.type === 'Constant' && value.kind === 'str' ? value : formattedValue(value, value)]
  const values = node.args.flatMap((arg, i) => [...i === 0 ? [] : parts(sep ?? literal(node, ' ')), ...parts(arg)])
  if (end === null) return `${w.print()}(${template(w, joined(node, values)).text})`
  return `${w.python('write')}(${template(w, joined(node, [...values, ...parts(end)])).text})`
}

function printStar(w: Writer, node: Call, sep: Expression | null, end: Expression | null): string {
  const [starred] = node.args
  const alone = node.args.length === 1 && starred?.type === 'Starred'
  if (sep === null && end === null) {
    if (!alone) return w.problem(node, 'print of a star among other values').text
    const items = elementsOf(w.typeOf(starred.value), 'list', 'deque', 'iter', 'set')
    if (!items.only('nat', 'int', 'str', 'fraction')) return w.problem(node, 'print of a star of these values').text
    return `${w.print()}(...${w.iterable(starred.value).text})`
  }
  if (!alone || end !== null || sep === null) return w.problem(node, 'print of a star with these keywords').text
  return `${w.print()}(${w.array(starred.value).text}.join(${w.code(sep)}))`
}
